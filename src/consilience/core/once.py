"""Values that are dear to make and are made once a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, ParamSpec, TypeVar

__all__ = ["once"]

P = ParamSpec("P")
T = TypeVar("T")


def once(make: Callable[P, T]) -> Callable[P, T]:
    """Remembers what `make` gave for each set of (hashable) arguments; threads that come meanwhile wait for it.

    `functools.cache` would let two threads load the same model twice.
    """
    made: dict[Hashable, T] = {}
    lock = threading.Lock()

    def made_once(*args: P.args, **kwargs: P.kwargs) -> T:
        key: Any = (args, tuple(sorted(kwargs.items())))
        with lock:
            if key not in made:
                made[key] = make(*args, **kwargs)
            return made[key]

    return made_once
