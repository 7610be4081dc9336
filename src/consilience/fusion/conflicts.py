"""Conflicts between modalities as observations: which disputes which, over which span, of which kind, how surely."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from consilience.fusion.disputes import disputes
from consilience.fusion.left_out import left_out
from consilience.fusion.statements import Statement, is_said, statements
from consilience.fusion.timeline import Timeline
from consilience.fusion.tone import discords
from consilience.observations import Confidence, Conflict, Locator, Modality, Observation, Provenance

__all__ = ["TOOL", "VERSION", "conflicts"]

TOOL, VERSION = "fusion.conflicts", "2"

_LONGEST = 90
_SOURCES: dict[str, str] = {
    "transcript": "said",
    "text": "shown",
    "description": "seen",
    "row": "listed",
    "cell": "listed",
}
_PLACES: dict[Modality, str] = {"audio": "recording", "document": "document", "image": "picture", "video": "film"}


def conflicts(
    observations: Iterable[Observation],
    timeline: Timeline | None = None,
    *,
    polarity: Callable[[str], float] | None = None,
    most: int = 20,
) -> list[Observation]:
    """Observations of kind `conflict`, the surest first, and one `unobserved` where there are more than `most`.

    - `said_shown`: words that were said give another value to something than what can be seen or read: a platform, a
      time, a date, a day, a price, an amount, open or closed.
    - `numbers`: the same between two media that both were said, or both can be read; states are left out.
    - `words_tone`: glad words over an unhappy or flat tone, or the reverse (`fusion.tone`).

    The score of the first two is `1 - 2 ** -likeness`, each further sign that both are about the same thing halving
    the doubt that is left (`fusion.disputes.likeness`), times the geometric mean of the two observations' confidences
    where they have any. It is a score and no probability.

    Args:
        observations: all of the record; what fusion itself made is passed over.
        timeline: of them; None: each medium on its own clock.
        polarity: of a text, -1 to 1; None: no `words_tone`.
        most: how many, at most.
    """
    given = list(observations)
    line = timeline or Timeline(given)
    found = [
        _of_values(dispute.first, dispute.second, dispute.likeness, line)
        for dispute in disputes(statements(given))
        if _counts(dispute.first, dispute.second)
    ]
    if polarity is not None:
        found += [_of_tone(discord.words, discord.tone, discord.score, line) for discord in discords(line, polarity)]
    surest = sorted(found, key=lambda o: -(o.confidence.value if o.confidence else 0.0))
    if not (beyond := surest[most:]):
        return surest
    reason = f"{len(beyond)} more conflicts are not told: only the {most} surest are"
    return [*surest[:most], left_out("conflict", reason, beyond[0].provenance, TOOL, VERSION)]


def _counts(one: Statement, other: Statement) -> bool:
    return is_said(one.observation) != is_said(other.observation) or not one.fact.dimension.startswith("state:")


def _of_values(one: Statement, other: Statement, likeness: float, timeline: Timeline) -> Observation:
    # What was said first, as it is more often the newer; else in the record's order.
    first, second = (other, one) if is_said(other.observation) and not is_said(one.observation) else (one, other)
    dispute = "said_shown" if is_said(first.observation) and not is_said(second.observation) else "numbers"
    known = [o.confidence.value for o in (first.observation, second.observation) if o.confidence]
    score = (1 - 2**-likeness) * _geometric_mean(known)
    told = _told((first.observation, _around(first)), (second.observation, _around(second)))
    return _conflict(first.observation, second.observation, dispute, score, told, timeline)


def _of_tone(words: Observation, tone: Observation, score: float, timeline: Timeline) -> Observation:
    told = f"said: {_short(words.text)}; yet {_tone_source(tone)}: {_short(tone.text)}"
    return _conflict(words, tone, "words_tone", score, told, timeline)


def _tone_source(tone: Observation) -> str:
    return "the face" if tone.kind == "expression" else "the voice"


def _conflict(
    first: Observation, second: Observation, dispute: str, score: float, told: str, timeline: Timeline
) -> Observation:
    value = Conflict(first=first.id, second=second.id, dispute=dispute, score=round(score, 4))
    made = first.provenance
    return Observation(
        kind="conflict",
        value=value.model_dump(mode="json"),
        text=told,
        locator=_where(first, second, timeline),
        confidence=Confidence(value=value.score, kind="score"),
        provenance=Provenance(media=made.media, modality=made.modality, tool=TOOL, version=VERSION),
    )


def _where(first: Observation, second: Observation, timeline: Timeline) -> Locator:
    """The first's place, over the span that both cover where they cover one."""
    common = timeline.common(first, second)
    return timeline.place(first, common) if common else first.locator


def _told(one: tuple[Observation, str], other: tuple[Observation, str]) -> str:
    """`said: ... platform six; shown: York Platform 4`."""
    sources = [_source(observation) for observation, _ in (one, other)]
    if sources[0] == sources[1]:
        sources[1] = f"{sources[1]} elsewhere"
    return "; ".join(f"{source}: {words}" for source, words in zip(sources, (one[1], other[1]), strict=True))


def _source(observation: Observation) -> str:
    return _SOURCES.get(observation.kind, "written")


def _around(statement: Statement) -> str:
    """The clause, cut to what stands around the value where it is long."""
    told, fact = statement.told, statement.fact
    if len(told) <= _LONGEST:
        return told.strip(" .,;")
    middle = (fact.start + fact.end) // 2
    start = max(0, min(middle - _LONGEST // 2, len(told) - _LONGEST))
    end = start + _LONGEST
    return ("…" if start else "") + told[start:end].strip(" .,;") + ("…" if end < len(told) else "")


def _short(text: str) -> str:
    return text.strip(" .") if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()}…"


def _geometric_mean(values: Sequence[float]) -> float:
    product = 1.0
    for value in values:
        product *= value
    return product ** (1 / len(values)) if values else 1.0
