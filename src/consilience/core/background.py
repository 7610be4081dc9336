"""One event loop in one thread, for callers who have none: the only place where async becomes sync."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from consilience.core.once import once

__all__ = ["run_blocking"]

T = TypeVar("T")


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives. Runs on the background loop, so it works inside a notebook's running loop too.

    HTTP clients cannot cross event loops: with one loop for all calls they need not. An interrupt cancels the work.
    """
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


@once
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="consilience", daemon=True).start()
    return loop
