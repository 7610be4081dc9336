"""Who hears whom in an exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from consilience.core.errors import UnknownName

__all__ = ["Topology", "neighbours"]

Topology: TypeAlias = str | Mapping[str, Sequence[str]]
"""`complete` (each hears all), `ring` (each hears its two neighbours), `star` (the first seat hears all, the others
hear it), `nearest:K` (the K seats on either side), or, for each seat by letter, the letters of those that it hears."""

_NEAREST = re.compile(r"nearest:([1-9]\d*)")
_KINDS = ("complete", "ring", "star", "nearest:K")


def neighbours(topology: Topology, seats: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each seat, in order, the others that it hears, in order of the seats; whoever is not there is not heard.

    Args:
        topology: see `Topology`.
        seats: letters of those that are still there.

    Raises:
        UnknownName: the topology is none of those.
    """
    if not isinstance(topology, str):
        heard = {seat: set(topology.get(seat, ())) for seat in seats}
    elif topology == "complete":
        heard = {seat: set(seats) for seat in seats}
    elif topology == "star":
        heard = {seat: set(seats if seat == seats[0] else seats[:1]) for seat in seats}
    else:
        heard = _around(seats, _reach(topology))
    return {seat: tuple(other for other in seats if other != seat and other in heard[seat]) for seat in seats}


def _reach(topology: str) -> int:
    """How many seats on either side."""
    if topology == "ring":
        return 1
    nearest = _NEAREST.fullmatch(topology)
    if nearest is None:
        raise UnknownName("topology", topology, _KINDS)
    return int(nearest[1])


def _around(seats: Sequence[str], reach: int) -> dict[str, set[str]]:
    return {seat: {seats[(i + step) % len(seats)] for step in range(-reach, reach + 1)} for i, seat in enumerate(seats)}
