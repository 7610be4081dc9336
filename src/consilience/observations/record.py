"""The append-only ledger of observations that a debate is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from consilience.observations.media import Media, Modality
from consilience.observations.observation import Observation

__all__ = ["Record", "Rendering", "count_tokens"]

_PREFIX: Mapping[Modality, str] = {
    "image": "i",
    "audio": "a",
    "video": "v",
    "document": "d",
    "text": "t",
    "table": "b",
}

# What carries a fact in words comes before what describes a surface; unnamed kinds stand between the two.
_TELLING: Mapping[str, int] = {
    "conflict": 0,
    "transcript": 1,
    "text": 1,
    "passage": 1,
    "row": 2,
    "description": 2,
    "object": 3,
    "table": 3,
    "unobserved": 5,
    "sound": 6,
    "properties": 7,
}

# For machines; no prompt shows them.
_UNTOLD = frozenset({"embedding", "part"})

_RUNNING = frozenset({"transcript", "text", "passage"})

_CHARACTERS_PER_TOKEN = 3.5


def count_tokens(text: str) -> int:
    """Estimated tokens of `text` (3.5 characters each, which overestimates English a little)."""
    return int(len(text) / _CHARACTERS_PER_TOKEN) + 1


@dataclass(frozen=True)
class Rendering:
    """A record as text for a prompt."""

    text: str
    labels: tuple[str, ...]
    """Labels that the text shows, in its order."""
    omitted: int
    """Observations left out for want of room; the text says so too."""


class Record:
    """Observations in the order they were made, each with a short stable label (`i1`, `a3`, ...).

    A label depends only on what came before, so appending never renames anything and nothing can be erased.
    """

    def __init__(self, media: Iterable[Media] = (), observations: Iterable[Observation] = ()) -> None:
        self._media = {medium.id: medium for medium in media}
        self._observations: dict[str, Observation] = {}
        counts: dict[str, int] = {}
        seen: set[str] = set()
        for observation in observations:
            if observation.id in seen:
                continue
            seen.add(observation.id)
            prefix = "c" if observation.kind == "conflict" else _PREFIX[observation.provenance.modality]
            counts[prefix] = counts.get(prefix, 0) + 1
            self._observations[f"{prefix}{counts[prefix]}"] = observation

    def __len__(self) -> int:
        return len(self._observations)

    def __iter__(self) -> Iterator[tuple[str, Observation]]:
        return iter(self._observations.items())

    def __getitem__(self, label: str) -> Observation:
        return self._observations[label]

    def __contains__(self, label: object) -> bool:
        return label in self._observations

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, in order."""
        return tuple(self._observations)

    @property
    def media(self) -> tuple[Media, ...]:
        """All media, in order."""
        return tuple(self._media.values())

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Modalities of the media, then those of what was observed in parts of them, in order of first appearance."""
        of_media = [medium.modality for medium in self._media.values()]
        of_parts = [o.provenance.modality for o in self._observations.values() if o.kind != "unobserved"]
        return tuple(dict.fromkeys([*of_media, *of_parts]))

    def medium_of(self, observation: Observation) -> Media | None:
        """The medium that an observation was made on."""
        return self._media.get(observation.provenance.media)

    def select(
        self, *, modalities: Iterable[Modality] | None = None, labels: Iterable[str] | None = None
    ) -> tuple[str, ...]:
        """Labels of these modalities (all when None) that are among `labels` (any when None), in order."""
        wanted = None if modalities is None else set(modalities)
        among = None if labels is None else set(labels)
        return tuple(
            label
            for label, observation in self
            if (wanted is None or observation.provenance.modality in wanted) and (among is None or label in among)
        )

    def in_context(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The labels and, where they are lines of running text, the lines just before and after, in order.

        A sentence runs on over lines: "We have to move your appointment." - "Please come at eleven instead."
        """
        wanted = set(labels)
        streams: dict[tuple[str, str], list[str]] = {}
        for label, observation in self:
            if observation.kind in _RUNNING:
                streams.setdefault((observation.provenance.media, observation.kind), []).append(label)
        beside = {
            label
            for stream in streams.values()
            for i, label in enumerate(stream)
            if wanted.intersection(stream[max(i - 1, 0) : i + 2])
        }
        return self.select(labels=wanted | beside)

    def render(self, labels: Iterable[str] | None = None, *, tokens: int = 1500) -> Rendering:
        """Text of the observations under `labels` (all when None), by medium, in at most `tokens` tokens.

        The most telling stay: words before objects before surface properties, surer before less sure. The first of
        them stays however long it is, and the note on what was left out comes on top.
        """
        wanted = self.labels if labels is None else tuple(dict.fromkeys(labels))
        chosen = tuple(label for label in wanted if self[label].kind not in _UNTOLD)
        kept, headed, room = set[str](), set[str](), tokens
        for label in sorted(chosen, key=self._telling):
            media_id = self[label].provenance.media
            room -= count_tokens(self.line(label) + "\n")
            room -= 0 if media_id in headed else count_tokens(self._heading(media_id) + "\n")
            if room < 0 and kept:
                break
            kept.add(label)
            headed.add(media_id)
        shown = tuple(label for label in self.labels if label in kept)
        return Rendering(self._lay_out(shown, len(chosen) - len(shown)), shown, len(chosen) - len(shown))

    def line(self, label: str) -> str:
        """`[a2] transcript, 0:01.2-0:03.4: to York`: one observation as a prompt shows it."""
        observation = self[label]
        about = ", ".join(filter(None, (observation.kind, observation.locator.describe())))
        return f"[{label}] {about}: {observation.text}"

    def _heading(self, media_id: str) -> str:
        medium = self._media.get(media_id)
        return f"From {medium.modality} {medium.name!r}:" if medium else "From an unnamed medium:"

    def _telling(self, label: str) -> tuple[float, float, int]:
        observation = self[label]
        confidence = observation.confidence.value if observation.confidence else 0.5
        return _TELLING.get(observation.kind, 4), -confidence, self.labels.index(label)

    def _lay_out(self, labels: tuple[str, ...], omitted: int) -> str:
        lines: list[str] = []
        by_medium: dict[str, list[str]] = {}
        for label in labels:
            by_medium.setdefault(self[label].provenance.media, []).append(label)
        for media_id, members in by_medium.items():
            lines.append(self._heading(media_id))
            lines.extend(self.line(label) for label in members)
        if omitted:
            lines.append(f"({omitted} less telling observations left out for want of room)")
        return "\n".join(lines)
