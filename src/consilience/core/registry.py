"""Plug-ins that other packages announce through an entry-point group. Only packages that are allowed are imported."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import Any

from consilience.core.errors import nearest

__all__ = ["Absent", "Plugin", "absent_packages", "load_plugins", "package_name"]

EVERY_PACKAGE = "*"


@dataclass(frozen=True)
class Plugin:
    """What one entry point gave: an object, or the reason why there is none."""

    name: str
    package: str
    version: str = ""
    allowed: bool = True
    """Whether its package may be imported; what is not allowed is known by its metadata alone."""
    loaded: Any = None
    failure: str | None = None

    @property
    def cure(self) -> str:
        """What the reader can do about a plug-in that is not there."""
        if not self.allowed:
            return f"If you trust it, add it to the setting: CONSILIENCE_PLUGINS={self.package}"
        return f"Update or remove it: pip uninstall {self.package}"


@dataclass(frozen=True)
class Absent:
    """A package that is allowed, and announces nothing."""

    package: str
    installed: bool
    near: str | None = None
    """A package that does, of much the same name."""

    @property
    def problem(self) -> str:
        """What is wrong, in one line."""
        return "it is installed, but has no encoders." if self.installed else "no such package is installed."

    @property
    def cure(self) -> str:
        """What the reader can do about it."""
        hint = f"Did you mean {self.near!r}? " if self.near else ""
        act = "Take it out of CONSILIENCE_PLUGINS." if self.installed else f"Run: pip install {self.package}"
        return f"{hint}{act}"


def absent_packages(plugins: Collection[Plugin], allowed: Collection[str]) -> tuple[Absent, ...]:
    """The packages of `allowed` that none of `plugins` comes from."""
    there = {plugin.package for plugin in plugins}
    missing = (package for package in allowed if package != EVERY_PACKAGE and package not in there)
    return tuple(Absent(package, _is_installed(package), nearest(package, sorted(there))) for package in missing)


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except (PackageNotFoundError, ValueError):
        return False
    return True


def load_plugins(group: str, allowed: Collection[str]) -> Iterator[Plugin]:
    """Every entry point of `group`, loaded where its package is among `allowed` (`*`: all).

    A plug-in that fails is a value like the rest, and takes none down. What it prints while it is imported goes to
    standard error.
    """
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        yield _load(point, allowed)


def package_name(name: str) -> str:
    """The one spelling of a package's name (https://packaging.python.org/en/latest/specifications/name-normalization/).

    >>> package_name("Consilience_Warmth")
    'consilience-warmth'
    """
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _load(point: EntryPoint, allowed: Collection[str]) -> Plugin:
    package = package_name(point.dist.name) if point.dist else "unknown package"
    version = point.dist.version if point.dist else ""
    if EVERY_PACKAGE not in allowed and package not in allowed:
        return Plugin(point.name, package, version, allowed=False)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return Plugin(point.name, package, version, loaded=point.load())
    # Foreign code runs here: whatever it raises, leaving the process included, belongs to that plug-in alone.
    except (Exception, SystemExit) as problem:
        return Plugin(point.name, package, version, failure=f"{type(problem).__name__}: {problem}".removesuffix(": "))
