"""Things that several encoders observed: a voice with a face, a sign with its name, a line with its print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consilience.fusion.boxes import same_boxes
from consilience.fusion.left_out import left_out
from consilience.fusion.names import named, reprinted
from consilience.fusion.speaking import speaking
from consilience.fusion.timeline import Timeline
from consilience.observations import Confidence, Entity, Media, Observation, Provenance

__all__ = ["TOOL", "VERSION", "entities"]

TOOL, VERSION = "fusion.entities", "2"

_MOST_MEMBERS = 12


@dataclass(frozen=True)
class Found:
    """Observations that are of one thing."""

    name: str
    relation: str
    members: tuple[Observation, ...]
    told: str
    score: float


def entities(
    observations: Iterable[Observation],
    timeline: Timeline | None = None,
    *,
    media: Sequence[Media] = (),
    most: int = 20,
) -> list[Observation]:
    """Observations of kind `entity`, the surest of each relation first, and `unobserved` for those beyond `most`.

    - `speaks`: a voice and the one face in view while it speaks.
    - `named`: words read on a picture and heard in speech.
    - `same_text`: words on a picture that a document or text has too.
    - `same_object`: boxes of two tools, or of a tool and a file of annotations, around one thing.

    Args:
        observations: all of the record.
        timeline: of them; None: each medium on its own clock.
        media: of the record, whose names annotations may name.
        most: how many of a relation, at most.
    """
    given = list(observations)
    line = timeline or Timeline(given)
    found: list[Observation] = []
    for relation in (
        [Found(j.speaker, "speaks", j.members, j.told, j.score) for j in speaking(given, line)],
        [Found(n.name, "named", n.members, f'"{n.name}" is read and said', n.score) for n in named(given)],
        [
            Found(n.name, "same_text", n.members, f'"{n.name}" stands on a picture and in a text', n.score)
            for n in reprinted(given)
        ],
        [
            Found(b.label, "same_object", b.members, f"{len(b.members)} tools see this {b.label}", b.score)
            for b in same_boxes(given, line, media)
        ],
    ):
        surest = sorted(relation, key=lambda one: -one.score)
        found += [_observation(one) for one in surest[:most]]
        if beyond := surest[most:]:
            name = beyond[0].relation
            reason = f"{len(beyond)} more entities of the relation {name!r} are not told: only the {most} surest are"
            found.append(left_out("entity", reason, beyond[0].members[0].provenance, TOOL, VERSION))
    return found


def _observation(found: Found) -> Observation:
    members: Sequence[Observation] = found.members[:_MOST_MEMBERS]
    further = len(found.members) - len(members)
    value = Entity(name=found.name, members=tuple(o.id for o in members), relation=found.relation)
    made = members[0].provenance
    return Observation(
        kind="entity",
        value=value.model_dump(mode="json"),
        text=found.told + (f"; {further} more observations of it are not listed" if further else ""),
        locator=members[0].locator,
        confidence=Confidence(value=found.score, kind="score"),
        provenance=Provenance(media=made.media, modality=made.modality, tool=TOOL, version=VERSION),
    )
