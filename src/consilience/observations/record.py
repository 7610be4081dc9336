"""The append-only ledger of observations that a debate is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from consilience.core.errors import UnknownName
from consilience.observations.failure import Failure
from consilience.observations.media import Media, Modality
from consilience.observations.observation import Observation
from consilience.observations.ranking import streams
from consilience.observations.relevance import Relevance
from consilience.observations.rendering import Rendering, Span, line_of, rendered

__all__ = ["Record"]

_PREFIX: Mapping[Modality, str] = {
    "image": "i",
    "audio": "a",
    "video": "v",
    "document": "d",
    "text": "t",
    "table": "b",
}

# They join observations, mostly of different modalities.
_JOINT = frozenset({"conflict", "entity"})

# They tell nothing of the media that were given.
_OF_NO_MEDIUM = frozenset({"unobserved", "tool_result"})


def _prefix(observation: Observation) -> str:
    """What its label begins with: seats call tools at the same time, so each counts its own results, `xa1`, `xb1`."""
    if observation.kind == "tool_result":
        return f"x{str(observation.provenance.parameters.get('seat', '')).lower()[:1]}"
    return "c" if observation.kind == "conflict" else _PREFIX[observation.provenance.modality]


def _by_id(media: Iterable[Media]) -> dict[str, Media]:
    """One for each id, with all of its names."""
    found: dict[str, Media] = {}
    for medium in media:
        first = found.setdefault(medium.id, medium)
        if first is not medium and medium.name not in first.name.split(" = "):
            found[medium.id] = first.model_copy(update={"name": f"{first.name} = {medium.name}"})
    return found


def _is_joint(observation: Observation) -> bool:
    """Whether it is of several media, or says how many more such there are."""
    if observation.kind != "unobserved":
        return observation.kind in _JOINT
    sought = observation.value.get("sought")
    return isinstance(sought, list) and bool(sought) and all(kind in _JOINT for kind in sought)


class Record:
    """Observations in the order they were made, each with a short stable label (`i1`, `a3`, ...).

    A label depends only on what came before, so appending never renames anything and nothing can be erased.
    """

    def __init__(
        self,
        media: Iterable[Media] = (),
        observations: Iterable[Observation] = (),
        failures: Iterable[Failure] = (),
    ) -> None:
        self.failures = tuple(failures)
        """Encoders that did not get to observe, and why."""
        # The same bytes under two names are two media of one id.
        self._all_media = tuple(dict.fromkeys(media))
        self._media = _by_id(self._all_media)
        self._read_as = {(medium.id, medium.modality): medium for medium in reversed(self._all_media)}
        self._observations: dict[str, Observation] = {}
        counts: dict[str, int] = {}
        seen: set[str] = set()
        for observation in observations:
            if observation.id in seen:
                continue
            seen.add(observation.id)
            prefix = _prefix(observation)
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
        return self._all_media

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Modalities of the media, then those of what was observed in parts of them, in order of first appearance."""
        of_media = [medium.modality for medium in self._all_media]
        of_parts = [o.provenance.modality for o in self._observations.values() if o.kind not in _OF_NO_MEDIUM]
        return tuple(dict.fromkeys([*of_media, *of_parts]))

    def medium_of(self, observation: Observation) -> Media | None:
        """The medium that an observation was made on."""
        made = observation.provenance
        return self._read_as.get((made.media, made.modality)) or self._media.get(made.media)

    def select(
        self, *, modalities: Iterable[Modality] | None = None, labels: Iterable[str] | None = None
    ) -> tuple[str, ...]:
        """Labels of these modalities (all when None) that are among `labels` (any when None), in order.

        A view of some modalities has no conflicts and entities: they tell what others observed.
        """
        wanted = None if modalities is None else set(modalities)
        among = None if labels is None else set(labels)
        return tuple(
            label
            for label, observation in self
            if (wanted is None or (observation.provenance.modality in wanted and not _is_joint(observation)))
            and (among is None or label in among)
        )

    def in_context(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The labels and, where they are lines of running text, the lines just before and after, in order.

        A sentence runs on over lines: "We have to move your appointment." - "Please come at eleven instead."
        """
        wanted = set(labels)
        beside = {
            label
            for stream in streams(self._observations)
            for i, label in enumerate(stream)
            if wanted.intersection(stream[max(i - 1, 0) : i + 2])
        }
        return self.select(labels=wanted | beside)

    def within(self, span: Span) -> tuple[str, ...]:
        """Labels of what was observed in a stretch of a medium, in order: render them to show what was left out.

        Raises:
            UnknownName: the record has no such medium.
        """
        asked = {medium.id for medium in self._all_media if span.media in (medium.name, medium.id)}
        if not asked and not any(o.provenance.media == span.media for o in self._observations.values()):
            raise UnknownName("medium", span.media, [medium.name for medium in self._all_media])
        asked.add(span.media)
        return tuple(label for label, o in self if o.provenance.media in asked and span.holds(o))

    def render(
        self,
        labels: Iterable[str] | None = None,
        *,
        tokens: int = 1500,
        relevance: Relevance | None = None,
        background: bool = True,
    ) -> Rendering:
        """Text of the observations under `labels` (all when None), by medium, in at most `tokens` tokens.

        Where they do not all fit, those stay that answer the question by `relevance`, with something of every modality
        and stretch of time; then words before objects before surface properties, surer before less sure. What was left
        out is told. Without `background`, lines that describe a surface or sum up ("640 x 360 pixels", "the text is in
        English") are left out too where `relevance` tells that they do not bear on the question.

        `relevance` may block: call this from a thread when an event loop is running.
        """
        wanted = self.labels if labels is None else dict.fromkeys(labels)
        chosen = {label: self[label] for label in wanted}
        in_order = chosen if labels is None else {label: o for label, o in self if label in chosen}
        return rendered(in_order, self._media, tokens=tokens, relevance=relevance, background=background)

    def line(self, label: str) -> str:
        """`[a2] transcript, 0:01.2-0:03.4: to York`: one observation as a prompt shows it."""
        return line_of(label, self[label])
