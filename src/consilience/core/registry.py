"""Plug-ins that other packages announce through an entry-point group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

__all__ = ["Plugin", "load_plugins"]


@dataclass(frozen=True)
class Plugin:
    """What one entry point gave: an object, or the reason why there is none."""

    name: str
    package: str
    loaded: Any = None
    failure: str | None = None


def load_plugins(group: str) -> Iterator[Plugin]:
    """Loads every entry point of `group`; a plug-in that fails is a value like the rest, and takes none down."""
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        yield _load(point)


def _load(point: EntryPoint) -> Plugin:
    package = point.dist.name if point.dist else "unknown package"
    try:
        return Plugin(point.name, package, loaded=point.load())
    # Foreign code runs here: whatever it raises belongs to that plug-in alone, and is shown with its name.
    except Exception as problem:
        return Plugin(point.name, package, failure=f"{type(problem).__name__}: {problem}")
