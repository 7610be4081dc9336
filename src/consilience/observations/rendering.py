"""A record as text for a prompt of a given size: what answers the question first, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from consilience.observations.locator import TimeRange
from consilience.observations.media import Media
from consilience.observations.observation import Observation
from consilience.observations.quoting import quoted
from consilience.observations.ranking import Entry, bearing, ranked
from consilience.observations.relevance import Relevance

T = TypeVar("T")

__all__ = ["Omission", "Rendering", "Span", "count_tokens", "heading_of", "line_of", "rendered"]

# For machines; no prompt shows them.
_UNTOLD = frozenset({"embedding", "part"})

_CHARACTERS_PER_TOKEN = 3.5

# Where there is not room for everything: the longest that a line may be, in characters, and what share of the budget
# is kept for the note on what was left out, within bounds in tokens.
_LONGEST_LINE = 1000
_UNSHOWN = "Not shown, since it does not bear on the question: "
_NOTE_SHARE, _LEAST_NOTE, _MOST_NOTE = 8, 16, 100


def count_tokens(text: str) -> int:
    """Estimated tokens of `text` (3.5 characters each, which overestimates English a little)."""
    return int(len(text) / _CHARACTERS_PER_TOKEN) + 1


class Span(BaseModel):
    """A stretch of one medium, as somebody asks for it; what is None or empty does not narrow it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    media: str = Field(description="The medium's name, or its id.")
    kinds: tuple[str, ...] = ()
    time: TimeRange | None = Field(None, description="What lasts into it, or touches it.")
    pages: tuple[int, int] | None = Field(None, description="First and last, both in it.")
    rows: tuple[int, int] | None = Field(None, description="First and last of a table, both in it.")

    def holds(self, observation: Observation) -> bool:
        """Whether an observation of the medium lies in it."""
        where = observation.locator
        row = where.cell.row if where.cell else None
        return (
            (not self.kinds or observation.kind in self.kinds)
            and (self.time is None or (where.time is not None and _touch(self.time, where.time)))
            and (self.pages is None or (where.page is not None and self.pages[0] <= where.page <= self.pages[1]))
            and (self.rows is None or (row is not None and self.rows[0] <= row <= self.rows[1]))
        )

    def describe(self) -> str:
        """`, 12:00.0-55:00.0, pages 3-90`: where in the medium; empty for all of it."""
        told = [str(self.time)] if self.time else []
        told += [_numbers(name, span) for name, span in (("page", self.pages), ("row", self.rows)) if span]
        return "".join(f", {part}" for part in told)


@dataclass(frozen=True)
class Omission:
    """What a rendering leaves out of one kind in one medium."""

    span: Span
    """Where it lies; ask for it with `Record.within`."""
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Rendering:
    """A record as text for a prompt."""

    text: str
    labels: tuple[str, ...]
    """Labels that the text shows, in its order."""
    omitted: int
    """Observations left out for want of room; the text says so too."""
    elsewhere: tuple[Omission, ...] = ()
    """The same by medium and kind, the most first."""
    repeats: tuple[str, ...] = ()
    """Labels of those that a line shown stands for, since they say the same; the text tells how many."""


def rendered(
    observations: Mapping[str, Observation],
    media: Mapping[str, Media],
    *,
    tokens: int,
    relevance: Relevance | None = None,
    background: bool = True,
) -> Rendering:
    """Text of `observations`, by label in order, laid out by medium, in at most `tokens` tokens.

    Without `background`, what `bearing` sets aside by `relevance` is not shown either, and a last line tells its kinds.
    Where all fits, all is shown, and `relevance` is not asked. Otherwise `ranked` says who comes first; the first
    stays whatever the budget, and so does the shortest note on what was left out. Long lines are cut then.
    """
    shown = {label: o for label, o in observations.items() if o.kind not in _UNTOLD}
    if not background and relevance and len(kept := bearing(shown, relevance)) < len(shown):
        kinds = dict.fromkeys(o.kind for label, o in shown.items() if label not in set(kept))
        note = f"({_UNSHOWN}{', '.join(kinds)})"
        room = tokens - count_tokens(note + "\n")
        page = _laid_out({label: shown[label] for label in kept}, media, room, relevance)
        return replace(page, text=f"{page.text}\n{note}")
    return _laid_out(shown, media, tokens, relevance)


def _laid_out(
    shown: Mapping[str, Observation], media: Mapping[str, Media], tokens: int, relevance: Relevance | None
) -> Rendering:
    everything = _Page(shown, media, tokens)
    if all(everything.add(Entry(label)) for label in shown):
        return Rendering(everything.text(), tuple(shown), 0)
    scores = relevance(list(shown.values())) if relevance else [0.0] * len(shown)
    page = _Page(shown, media, tokens - min(max(tokens // _NOTE_SHARE, _LEAST_NOTE), _MOST_NOTE), _LONGEST_LINE)
    for entry in ranked(shown, scores):
        if not page.add(entry, whatever_the_cost=not page.lines):
            break
    return page.finished(tokens)


def heading_of(observation: Observation) -> str:
    """`transcript, 0:01.2-0:03.4`: the kind and the place, which a prompt shows before the words."""
    return ", ".join(filter(None, (observation.kind, observation.locator.describe())))


def line_of(label: str, observation: Observation, *, repeated: str = "", longest: int | None = None) -> str:
    """`[a2] transcript, 0:01.2-0:03.4: to York`: one observation as a prompt shows it, in one line.

    What in it imitates the prompt is made harmless: see `quoted`.
    """
    about = ", ".join(filter(None, (heading_of(observation), repeated)))
    text = quoted(observation.text)
    if longest and len(text) > longest:
        kept = text[:longest].rpartition(" ")[0] or text[:longest]
        text = f"{kept} ... ({len(text) - len(kept)} more characters)"
    return f"[{label}] {quoted(about)}: {text}"


class _Page:
    """Takes lines while there is room for them."""

    def __init__(
        self,
        observations: Mapping[str, Observation],
        media: Mapping[str, Media],
        room: int,
        longest: int | None = None,
    ) -> None:
        self._observations, self._media, self._longest = observations, media, longest
        self._room = room
        self._headed: set[str] = set()
        self._repeats: list[str] = []
        self.lines: dict[str, str] = {}

    def add(self, entry: Entry, *, whatever_the_cost: bool = False) -> bool:
        """Adds a line, if it fits."""
        observation = self._observations[entry.label]
        line = line_of(entry.label, observation, repeated=self._told(entry), longest=self._longest)
        cost = count_tokens(line + "\n")
        if observation.provenance.media not in self._headed:
            cost += count_tokens(self._heading(observation.provenance.media) + "\n")
        if cost > self._room and not whatever_the_cost:
            return False
        self._room -= cost
        self._headed.add(observation.provenance.media)
        self._repeats += entry.repeats
        self.lines[entry.label] = line
        return True

    def text(self) -> str:
        """The lines by medium, each under its heading, in the order of the record."""
        by_medium: dict[str, list[str]] = {}
        for label in self._shown():
            by_medium.setdefault(self._observations[label].provenance.media, []).append(self.lines[label])
        return "\n".join(line for media, lines in by_medium.items() for line in (self._heading(media), *lines))

    def finished(self, tokens: int) -> Rendering:
        """The page with its note, which may fill what is left of `tokens`."""
        gone = {*self.lines, *self._repeats}
        elsewhere = _omissions((label, o) for label, o in self._observations.items() if label not in gone)
        text, labels = self.text(), self._shown()
        repeats = tuple(label for label in self._observations if label in gone and label not in self.lines)
        omitted = sum(len(omission.labels) for omission in elsewhere)
        if omitted:
            text += "\n" + self._note(elsewhere, omitted, tokens - count_tokens(text + "\n"))
        return Rendering(text, labels, omitted, elsewhere, repeats)

    def _shown(self) -> tuple[str, ...]:
        return tuple(label for label in self._observations if label in self.lines)

    def _told(self, entry: Entry) -> str:
        """`observed 60 times, 0:10.0-9:50.0`; what was not observed, only `60 times, ...`."""
        if not entry.repeats:
            return ""
        span = _span(self._observations[label] for label in (entry.label, *entry.repeats))
        told = f"{len(entry.repeats) + 1} times{span.describe()}"
        return told if self._observations[entry.label].kind == "unobserved" else f"observed {told}"

    def _heading(self, media_id: str) -> str:
        medium = self._media.get(media_id)
        return f"From {medium.modality} {_name(medium)}:" if medium else "From an unnamed medium:"

    def _note(self, elsewhere: Sequence[Omission], omitted: int, room: int) -> str:
        """`(Left out for want of room: 120 transcript lines of 'talk.wav', 12:00.0-55:00.0; 34 others)`."""
        told: list[str] = []
        note = f"({omitted} observations left out for want of room)"
        for omission in elsewhere:
            medium = self._media.get(omission.span.media)
            of = _name(medium) if medium else "an unnamed medium"
            told.append(f"{len(omission.labels)} {omission.span.kinds[0]} lines of {of}{omission.span.describe()}")
            omitted -= len(omission.labels)
            rest = [f"{omitted} others"] if omitted else []
            longer = f"(Left out for want of room: {'; '.join([*told, *rest])})"
            if count_tokens(longer) > room:
                break
            note = longer
        return note


def _name(medium: Media) -> str:
    return quoted(repr(medium.name))


def _omissions(items: Iterable[tuple[str, Observation]]) -> tuple[Omission, ...]:
    groups: dict[tuple[str, str], list[tuple[str, Observation]]] = {}
    for label, observation in items:
        groups.setdefault((observation.provenance.media, observation.kind), []).append((label, observation))
    found = [Omission(_span(o for _, o in group), tuple(label for label, _ in group)) for group in groups.values()]
    return tuple(sorted(found, key=lambda omission: -len(omission.labels)))


def _span(observations: Iterable[Observation]) -> Span:
    """The least span that holds these, which are of one medium and kind."""
    members = list(observations)
    times = _all_of(o.locator.time for o in members)
    pages = _all_of(o.locator.page for o in members)
    rows = _all_of(o.locator.cell.row if o.locator.cell else None for o in members)
    return Span(
        media=members[0].provenance.media,
        kinds=(members[0].kind,),
        time=TimeRange(start=min(t.start for t in times), end=max(t.end for t in times)) if times else None,
        pages=(min(pages), max(pages)) if pages else None,
        rows=(min(rows), max(rows)) if rows else None,
    )


def _all_of(values: Iterable[T | None]) -> list[T]:
    """The values, or none of them where one is missing."""
    found = list(values)
    present = [value for value in found if value is not None]
    return present if len(present) == len(found) else []


def _touch(one: TimeRange, other: TimeRange) -> bool:
    return one.start <= other.end and other.start <= one.end


def _numbers(name: str, span: tuple[int, int]) -> str:
    first, last = span
    return f"{name} {first}" if first == last else f"{name}s {first}-{last}"
