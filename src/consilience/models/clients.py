"""Connections: the LangChain runnable behind an endpoint, bound to the running event loop."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from consilience.core.errors import MissingExtra, RunError
from consilience.models.completions import PlainCompletions

__all__ = ["Absent", "Connection", "Given", "OpenAIProtocol"]


class Connection(Protocol):
    """Gives the LangChain runnable behind an endpoint, bound to the running event loop, and lets go of it."""

    async def open(self) -> Runnable[Any, Any]:
        """The runnable; may block for a first load, off the loop."""
        ...

    async def close(self) -> None:
        """Closes what `open` opened on the running loop."""
        ...


class Given:
    """A runnable that the caller made, and keeps."""

    def __init__(self, runnable: Runnable[Any, Any]) -> None:
        self._runnable = runnable

    async def open(self) -> Runnable[Any, Any]:
        """The runnable."""
        return self._runnable

    async def close(self) -> None:
        """The caller's to close."""


class Absent:
    """Nothing: of a model that only stands by its name in a run that is replayed."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def open(self) -> Runnable[Any, Any]:
        """Never gives one.

        Raises:
            RunError: always.
        """
        raise RunError(f"{self._name} is not to be asked: the run is replayed.")

    async def close(self) -> None:
        """There is nothing to close."""


class OpenAIProtocol:
    """A ChatOpenAI for each event loop, each with an HTTP client of its own.

    Args:
        parameters: of ChatOpenAI; may block, and is called once a loop.
        extra: the one to be named where langchain-openai is not installed.
        purpose: what needs it.
    """

    def __init__(
        self,
        parameters: Callable[[], dict[str, Any]],
        *,
        extra: str = "openai",
        purpose: str = "Speaking the OpenAI protocol",
    ) -> None:
        self._parameters = parameters
        self._extra, self._purpose = extra, purpose
        self._open: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[BaseChatModel, Any]] = (
            weakref.WeakKeyDictionary()
        )
        self._locks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()

    async def open(self) -> Runnable[Any, Any]:
        """The running loop's model.

        Raises:
            MissingExtra: langchain-openai is not installed.
        """
        loop = asyncio.get_running_loop()
        if opened := self._open.get(loop):
            return opened[0]
        async with self._locks.setdefault(loop, asyncio.Lock()):
            if loop not in self._open:
                # Off the loop: it may load a model, and it imports the client.
                self._open[loop] = await asyncio.to_thread(self._make)
            return self._open[loop][0]

    async def close(self) -> None:
        """Closes the running loop's client."""
        opened = self._open.pop(asyncio.get_running_loop(), None)
        if opened:
            await opened[1].aclose()

    def _make(self) -> tuple[BaseChatModel, Any]:
        try:
            from langchain_openai import ChatOpenAI
        except ImportError as problem:
            raise MissingExtra("langchain-openai", self._extra, self._purpose) from problem
        parameters = self._parameters()
        client = _http_client()
        # Retries and time-outs are the endpoint's: two layers of retries would multiply, and a second clock would cost
        # a task for each piece of a stream.
        ours = {"stream_usage": True, "max_retries": 0, "stream_chunk_timeout": None}
        model = ChatOpenAI(http_async_client=client, **ours, **parameters)
        model.async_client = PlainCompletions(model.root_async_client)
        return model, client


def _http_client() -> Any:
    """The SDK's client on aiohttp, which takes about half the processor time a call; without aiohttp its other one."""
    import openai

    try:
        return openai.DefaultAioHttpClient()
    except RuntimeError:
        return openai.DefaultAsyncHttpxClient()
