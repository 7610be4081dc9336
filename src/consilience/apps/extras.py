"""Which packages each extra of consilience asks for, as its own metadata has it, and which of them are missing."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version

from consilience.core.once import once

__all__ = ["extras", "missing_packages"]

_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[([\w, -]+)\])?[^;]*;.*extra == ['\"]([\w-]+)['\"]")
_ALL = "all"


@once
def extras() -> dict[str, tuple[str, ...]]:
    """Packages of each extra that `consilience[all]` has, extras of extras resolved."""
    packages: dict[str, list[str]] = {}
    nested: dict[str, list[str]] = {}
    for line in requires("consilience") or ():
        if not (found := _REQUIREMENT.match(line)):
            continue
        package, inner, extra = found.groups()
        if package == "consilience":
            nested.setdefault(extra, []).extend(name.strip() for name in inner.split(","))
        else:
            packages.setdefault(extra, []).append(package)

    def of(extra: str) -> tuple[str, ...]:
        own, others = packages.get(extra, ()), nested.get(extra, ())
        return tuple(dict.fromkeys([*own, *(package for other in others for package in of(other))]))

    return {extra: of(extra) for extra in nested.get(_ALL, ())}


def missing_packages(extra: str) -> tuple[str, ...]:
    """Packages of `extra` that are not installed."""
    return tuple(package for package in extras().get(extra, ()) if not _installed(package))


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
