"""What of the record a seat sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from consilience.observations import Modality, Observation, Record

__all__ = ["View", "ViewLike"]

# Lines that no prompt shows, and those that only tell why there is nothing.
_NOTHING_SEEN = frozenset({"embedding", "part", "unobserved"})


@dataclass(frozen=True)
class View:
    """A part of the record: what is of one of these modalities and, where kinds or encoders are named, of one of those.

    Without anything named it is the whole record; only then are conflicts and entities in it, unless their kind is
    named: they tell what others observed.
    """

    modalities: tuple[Modality, ...] = ()
    kinds: tuple[str, ...] = ()
    """Kinds of observation: `transcript`, `face`, ..."""
    encoders: tuple[str, ...] = ()
    """Names of encoders whose observations it has, whatever their kind: `video.faces`, ..."""

    def __post_init__(self) -> None:
        # Lists are as good, and what comes back out of a database has them.
        for name in ("modalities", "kinds", "encoders"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @classmethod
    def of(cls, given: ViewLike | None) -> View:
        """The view that an expert was given; None is the whole record."""
        if isinstance(given, View):
            return given
        # No modality at all is a view of nothing, which only a kind that does not exist can be.
        return cls() if given is None else cls(modalities=tuple(given), kinds=() if given else ("nothing",))

    def labels(self, record: Record) -> tuple[str, ...]:
        """Labels of what it shows, in the order of the record; what was sought and not observed is among them."""
        among = record.select(modalities=self.modalities or None)
        if self == View():
            return among
        if not self.kinds and not self.encoders:
            return tuple(label for label in among if record[label].kind != "tool_result")
        return tuple(label for label in among if self._names(record[label]))

    def observed(self, record: Record) -> tuple[str, ...]:
        """Labels of what there is to see in it: lines that a prompt shows and that tell of something observed."""
        return tuple(label for label in self.labels(record) if record[label].kind not in _NOTHING_SEEN)

    def _names(self, observation: Observation) -> bool:
        if observation.kind in self.kinds or observation.provenance.tool in self.encoders:
            return True
        sought = observation.value.get("sought") if observation.kind == "unobserved" else None
        return isinstance(sought, list) and any(kind in self.kinds for kind in sought)


ViewLike: TypeAlias = View | Sequence[Modality]
"""A view, or the modalities of one."""
