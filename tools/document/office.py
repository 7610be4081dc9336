"""What office documents (ECMA-376) have in common: opening them, and the pictures inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, TypeVar

from consilience.tools.document.outline import Outline
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, Unobservable
from consilience.observations import Locator, Observation

__all__ = ["EMU_PER_POINT", "Pictures", "opened"]

EMU_PER_POINT = 12_700

_RASTER = frozenset(("bmp", "gif", "jpeg", "jpg", "png", "tif", "tiff", "webp"))
_LEAST_SIDE = 20 * EMU_PER_POINT

T = TypeVar("T")


def opened(excerpt: Excerpt, package: str, load: Callable[[str], T]) -> T:
    """The document, as `load` of `package` makes it from a path.

    Raises:
        Unobservable: it is no readable document of this type.
        MissingExtra: the package is not installed.
    """
    try:
        return load(str(excerpt.path))
    except ImportError as problem:
        raise MissingExtra(package, "document", "Reading office documents") from problem
    except MemoryError:
        raise
    except Exception as problem:
        # Archive, XML and relations each raise their own, and whatever a broken file makes them stumble over.
        told = str(problem).replace(str(excerpt.path), excerpt.media.name) or type(problem).__name__
        raise Unobservable(f"it cannot be opened ({told})") from problem


@dataclass
class Pictures:
    """Hands the pictures inside a document to image encoders, each once; of what they cannot open it says so."""

    outline: Outline
    most: int
    _seen: set[str] = field(default_factory=set)
    _looked_at: int = 0
    _left_out: int = 0

    def __call__(self, related: Any, extent: tuple[int, int] | None, where: Locator) -> Iterator[Observation]:
        """The picture that a relationship (of python-docx or python-pptx) leads to, shown in so many EMU."""
        if related.is_external:
            told = "a picture that is not in the document itself was not fetched"
            yield from self._once(told, where)
            return
        member = str(related.target_part.partname).lstrip("/")
        if member in self._seen or (extent and 0 < min(extent) < _LEAST_SIDE):
            return
        kind = PurePosixPath(member).suffix.lstrip(".").lower()
        if kind not in _RASTER:
            yield from self._once(f"the picture {member} was not looked at: no decoder for its type {kind}", where)
            return
        self._seen.add(member)
        if self._looked_at >= self.most:
            self._left_out += 1
            return
        self._looked_at += 1
        yield self.outline.part("image", "figure", where.model_copy(update={"track": member, "region": None}))

    def _once(self, told: str, where: Locator) -> Iterator[Observation]:
        if told not in self._seen:
            self._seen.add(told)
            yield self.outline.unobserved(("part",), told, where)

    def close(self) -> Iterator[Observation]:
        """What was left out."""
        if self._left_out:
            told = f"{self._left_out:,} pictures were not looked at: only {self.most} are"
            yield self.outline.unobserved(("part",), told)
