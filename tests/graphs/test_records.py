"""The records of runs: read once, and never taken for those of another run."""

from __future__ import annotations

from pathlib import Path

import pytest
from consilience.graphs import records as records_module
from consilience.graphs.records import Records
from consilience.graphs.state import DebateState

from consilience.observations import Media, Observation, ObservationStore, Provenance

NOTE = Media(id="sha256:" + "0" * 64, mime="text/plain", modality="text", name="note.txt", size=1)


def seen(text: str) -> Observation:
    made_by = Provenance(media=NOTE.id, modality="text", tool="t", version="1")
    return Observation(kind="text", value={"text": text}, text=text, provenance=made_by)


@pytest.fixture
def store(tmp_path: Path) -> ObservationStore:
    return ObservationStore(tmp_path)


def pointing(store: ObservationStore, *texts: str, run: str = "r") -> DebateState:
    return {"run": run, "media": [NOTE], "observations": list(store.put([seen(text) for text in texts]))}


async def test_a_record_is_read_once(store: ObservationStore) -> None:
    records, state = Records(store), pointing(store, "one", "two")
    first = await records.of(state)
    assert [observation.text for _, observation in first] == ["one", "two"]
    assert await records.of(state) is first


async def test_a_record_that_has_grown_is_read_anew(store: ObservationStore) -> None:
    records = Records(store)
    await records.of(pointing(store, "one"))
    assert len(await records.of(pointing(store, "one", "two"))) == 2


async def test_runs_of_one_name_do_not_share_what_differs(store: ObservationStore) -> None:
    records = Records(store)
    await records.of(pointing(store, "one", run=""))
    other = await records.of(pointing(store, "two", run=""))
    assert [observation.text for _, observation in other] == ["two"]
    renamed: DebateState = {**pointing(store, "two", run=""), "media": [NOTE.model_copy(update={"name": "b.txt"})]}
    assert (await records.of(renamed)).media[0].name == "b.txt"


async def test_what_was_closed_or_crowded_out_is_read_anew(
    store: ObservationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "_MOST", 3)
    records, state = Records(store), pointing(store, "one", "two")
    first = await records.of(state)
    records.close(state)
    second = await records.of(state)
    assert second is not first
    await records.of(pointing(store, "three", "four", run="s"))
    assert await records.of(state) is not second
