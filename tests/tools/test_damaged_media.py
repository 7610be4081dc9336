"""Real files with bytes changed or cut off: whatever becomes of them is observed, `unobserved`, or a clear refusal."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from consilience.tools import Encoder, Runner
from consilience.tools.audio.activity import activity
from consilience.tools.audio.prosody import prosody
from consilience.tools.document.html import html
from consilience.tools.document.mail import mail
from consilience.tools.document.pdf import pdf
from consilience.tools.document.slides import slides
from consilience.tools.document.word import word
from consilience.tools.image.properties import properties
from consilience.tools.table.columns import columns
from consilience.tools.text.boxes import boxes
from consilience.tools.text.passages import passages
from consilience.tools.text.subtitles import subtitles
from consilience.tools.text.turns import turns
from consilience.tools.video.shots import shots
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.core.errors import BadMedia
from consilience.core.settings import Settings
from consilience.observations import ObservationStore, ingest

SAMPLES = Path(__file__).resolve().parents[2] / "src/consilience/apps/samples"
FILES = sorted(SAMPLES.glob("sample.*"))
# The quick ones: what matters is how files are opened and decoded, not what a network makes of the pixels.
SOUND: list[Encoder] = [activity, prosody]
DOCUMENTS: list[Encoder] = [html, mail, pdf, slides, word]
TEXTS: list[Encoder] = [boxes, columns, passages, subtitles, turns]
FOREIGN = re.compile(r"\w*(Error|Exception|Exit|Interrupt|Iteration|Warning)\b: ")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    place = tmp_path_factory.mktemp("damaged")
    (place / "weights").symlink_to(Settings().weights_dir)
    own = Settings(cache_dir=place)
    with ObservationStore.open(own) as store:
        yield Runner(store, [*SOUND, *DOCUMENTS, *TEXTS, properties, shots], settings=own)


async def perceived(runner: Runner, content: bytes, name: str) -> str:
    """`refused`, or the kinds that were observed; no encoder may let a foreign error out, nor tell where files lie."""
    try:
        media = ingest(content, runner.store, name=name)
        runner.plan([media])
    except BadMedia:
        return "refused"
    kinds: set[str] = set()
    async for encoding in runner.perceive([media]):
        assert encoding.failure is None or not FOREIGN.match(encoding.failure), (encoding.encoder, encoding.failure)
        told = "".join([encoding.failure or "", *(o.text for o in encoding.observations)])
        assert str(runner.store.root) not in told
        kinds |= {o.kind for o in encoding.observations}
    return " ".join(sorted(kinds))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.suffix[1:])
def test_whole_files_are_observed(runner: Runner, path: Path) -> None:
    """Else nothing would be damaged below."""
    found = asyncio.run(perceived(runner, path.read_bytes(), path.name))
    assert found not in ("refused", "unobserved")


@settings(max_examples=8)
@given(data=st.data())
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.suffix[1:])
def test_damaged_files_end_in_a_value(runner: Runner, path: Path, data: st.DataObject) -> None:
    content = bytearray(path.read_bytes())
    # Headers are where most goes wrong.
    places = st.one_of(st.integers(0, min(200, len(content) - 1)), st.integers(0, len(content) - 1))
    for place, bit in data.draw(st.lists(st.tuples(places, st.integers(0, 7)), max_size=12), label="flipped bits"):
        content[place] ^= 1 << bit
    length = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))), label="bytes left")
    asyncio.run(perceived(runner, bytes(content[:length]), path.name))
