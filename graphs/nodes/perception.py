"""perceive: every fitting encoder on every medium, into the record."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from consilience.graphs.events import Perceived, Recorded, emit
from consilience.graphs.journal import journal_of_run
from consilience.graphs.state import DebateState, Node, media_of
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Workbench
from consilience.tools import Encoding, observed
from langgraph.types import Overwrite

from consilience.core.counted import counted
from consilience.models import Ledger
from consilience.observations import Locator, Media, Observation, Record

__all__ = ["Node", "perceive"]

_PLACE = "perceive"
"""Where the journal has what was seen, if that was not all."""

_CURE = "Raise the budget's seconds, or run `consilience observe` on the media first: what is encoded is remembered"


def perceive(bench: Workbench) -> Node:
    """Makes the node that runs the encoders; it also clears the table of an earlier question's debate."""

    @traced
    async def perceive(state: DebateState) -> dict[str, Any]:
        run = uuid.uuid4().hex
        ledger = bench.ledgers.of({"run": run})  # its clock starts here
        seen = await _seen(bench, state["media"], ledger)
        observations = seen.observations
        known = state.get("observations", [])
        earlier = await asyncio.to_thread(bench.store.get, known) if known else ()
        cited = await asyncio.to_thread(_cited, state, bench) if state.get("earlier") else ()
        record = Record(media_of(state), [*earlier, *observations, *cited])
        bench.records.keep(run, record)
        emit(Recorded(lines=tuple(record.line(label) for label in record.labels)))
        return {
            "schema_version": 1,
            "run": run,
            "observations": [observation.id for observation in (*observations, *cited)],
            "lost_tools": Overwrite(list(seen.lost_tools)),
            "unperceived": seen.unperceived,
            "turns": Overwrite([]),
            "tool_calls": Overwrite([]),
            "looks": Overwrite([]),
            "losses": Overwrite([]),
            "spent": Overwrite([]),
            "gate": None,
            "asked": {},
            "stop": None,
            "odds": [],
            "decision": None,
            "resolution": None,
            "swapped": None,
            "draft": None,
            "rejected": None,
            "seats": [],
            "passed_over": [],
            "verdict": None,
        }

    return perceive


def _cited(state: DebateState, bench: Workbench) -> tuple[Observation, ...]:
    """What the answers to earlier questions rest on, as far as its media are there: it stays in the record. Blocks."""
    media = {medium.id for medium in media_of(state)}
    ids = list(dict.fromkeys(one for asked in state.get("earlier", []) for one in asked.cited))
    return tuple(o for o in bench.store.find(ids) if o.provenance.media in media)


@dataclass(frozen=True)
class _Seen:
    """What perception came to."""

    observations: tuple[Observation, ...]
    lost_tools: tuple[str, ...]
    unperceived: str | None


async def _seen(bench: Workbench, media: Sequence[Media], ledger: Ledger | None) -> _Seen:
    """What all encoders see; if the time was up before they were done, once and for all of the run.

    The next time more would be remembered, and the replies that the journal holds are on what was seen then.
    """
    journal = journal_of_run()
    if journal and (kept := journal.words(_PLACE)):
        told = json.loads(kept[-1])
        return _Seen(await asyncio.to_thread(bench.store.get, told["observations"]), tuple(told["lost"]), told["why"])
    encodings: list[Encoding] = []
    async for encoding in bench.runner.perceive(media, seconds=bench.budget.perception_seconds):
        encodings.append(encoding)
        if not encoding.late:
            emit(_told(encoding))
    late = _by_tool([encoding for encoding in encodings if encoding.late])
    for lost in late:
        emit(_told(replace(lost, done=len(encodings), planned=len(encodings))))
    # As they finish is how people see them; the record has them in the order of media and encoders.
    encodings.sort(key=lambda encoding: encoding.rank)
    failed = [encoding for encoding in encodings if encoding.failure and not encoding.late]
    seen = _Seen(observed(encodings), tuple(map(_lost, (*failed, *late))), _unperceived(late, ledger))
    if journal and late:
        ids = [observation.id for observation in seen.observations]
        await journal.hear(_PLACE, json.dumps({"observations": ids, "lost": seen.lost_tools, "why": seen.unperceived}))
    return seen


def _by_tool(late: Sequence[Encoding]) -> list[Encoding]:
    """One for each encoder and medium: of a long film there may be thousands of places."""
    groups: dict[tuple[str, str, str], list[Encoding]] = {}
    for encoding in late:
        groups.setdefault((encoding.media.id, encoding.media.name, encoding.encoder), []).append(encoding)
    return [_together(same) for same in groups.values()]


def _together(late: Sequence[Encoding]) -> Encoding:
    if len(late) == 1:
        return late[0]
    return replace(late[0], where=Locator(), failure=f"in {len(late)} places {late[0].failure}")


def _lost(encoding: Encoding) -> str:
    place = " ".join(filter(None, (encoding.media.name, encoding.where.describe())))
    return f"{encoding.encoder} on {place}: {encoding.failure}"


def _unperceived(late: Sequence[Encoding], ledger: Ledger | None) -> str | None:
    """That perception took the time it had, with the cure; None: it did not."""
    if ledger is None or (not late and ledger.seconds_left > 0):
        return None
    took = f"perception took {ledger.seconds:.4g} of the run's {ledger.budget.seconds:.4g} s"
    ended = f", and {counted(len(late), 'encoder')} did not come to an end" if late else ""
    return f"{took}{ended}. {_CURE}"


def _told(encoding: Encoding) -> Perceived:
    return Perceived(
        media=encoding.media,
        encoder=encoding.encoder,
        where=encoding.where,
        lines=tuple(observation.text for observation in encoding.observations),
        seconds=round(encoding.seconds, 3),
        cached=encoding.cached,
        failure=encoding.failure,
        done=encoding.done,
        planned=encoding.planned,
    )
