"""perceive: every fitting encoder on every medium, into the record."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from consilience.graphs.events import Perceived, Recorded, emit
from consilience.graphs.state import DebateState, Node, media_of
from consilience.graphs.tracing import traced
from consilience.graphs.workbench import Workbench
from consilience.tools import Encoding, observed
from langgraph.types import Overwrite

from consilience.observations import Observation, Record

__all__ = ["Node", "perceive"]


def perceive(bench: Workbench) -> Node:
    """Makes the node that runs the encoders; it also clears the table of an earlier question's debate."""

    @traced
    async def perceive(state: DebateState) -> dict[str, Any]:
        run = uuid.uuid4().hex
        bench.ledgers.of({"run": run})  # its clock starts here
        encodings: list[Encoding] = []
        async for encoding in bench.runner.perceive(state["media"]):
            encodings.append(encoding)
            emit(_told(encoding))
        # As they finish is how people see them; the record has them in the order of media and encoders.
        encodings.sort(key=lambda encoding: encoding.rank)
        observations = observed(encodings)
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
            "lost_tools": Overwrite(
                [
                    f"{e.encoder} on {' '.join(filter(None, (e.media.name, e.where.describe())))}: {e.failure}"
                    for e in encodings
                    if e.failure is not None
                ]
            ),
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
