"""A model server for tests: the OpenAI protocol on this machine, from a script, with faults on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from consilience.core.errors import MissingExtra
from consilience.testing.application import Behaviour, Service, application
from consilience.testing.calls import CallLog, ServerCall
from consilience.testing.faults import FaultSchedule
from consilience.testing.formats import Reply, echo
from consilience.testing.protocol import Prompt
from consilience.testing.script import Script
from consilience.testing.serving import Listener

__all__ = ["ModelServer"]


class ModelServer:
    """Serves `/v1/models`, `/v1/chat/completions` (plain and streamed) and `/v1/audio/transcriptions` while entered.

    Usage counts a token for four characters, and as cached those blocks of 16 tokens with which an earlier prompt to
    the same model began; `prompt` adds up. A script that ran out, or a function of the test that raised, is
    answered with status 400 and raised again on leaving.

    Args:
        replies: what is answered: one reply a call, or a function of the request's body (a transcription's file
            under `file`). It must not block. A reply is text, or a dict: an assistant's message
            (`{"role": "assistant", ...}`), else JSON content; of a transcription, fields of its verbose form. The
            default echoes the last message.
        faults: what calls meet, see `Fault` and, for schedules, `on_calls`, `at_rate`, `where`, `either`. A fault that
            replaces the reply leaves it for the next call.
        latency: seconds from a request's last byte until its answer begins, the same for all.
        api_key: the key that callers must bring; None lets everybody in.
        model: the one model that is listed.
        remember: keep every call; False: only what adds up (`count`, `prompt`, `max_in_flight`), for long runs.
    """

    def __init__(
        self,
        replies: Sequence[Reply | Callable[[dict[str, Any]], Reply]] | Callable[[dict[str, Any]], Reply] = echo,
        *,
        faults: FaultSchedule = (),
        latency: float = 0.0,
        api_key: str | None = None,
        model: str = "test-model",
        remember: bool = True,
    ) -> None:
        self._behaviour = Behaviour(Script(replies), faults, latency, api_key, model)
        self._log = CallLog(remember=remember)
        self._listener = Listener()

    def __enter__(self) -> Self:
        try:
            import python_multipart  # noqa: F401
            import starlette  # noqa: F401
            import uvicorn  # noqa: F401
        except ImportError as problem:
            raise MissingExtra(problem.name or "uvicorn", "testing", "The test server") from problem
        self._listener.start(application(Service(self._behaviour, self._log, self._listener.abort)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.stop()
        # A test that fails already says why; the script's problem must not hide that.
        if problem is None and self._log.problems:
            raise self._log.problems[0]

    @property
    def base_url(self) -> str:
        """What clients take as base URL, `/v1` included."""
        return f"http://127.0.0.1:{self._listener.port}/v1"

    @property
    def model(self) -> str:
        """The name under which the model is listed."""
        return self._behaviour.model

    @property
    def calls(self) -> tuple[ServerCall, ...]:
        """Every request for a completion or a transcription, refused ones included, in the order of arrival."""
        return self._log.calls

    @property
    def prompt(self) -> Prompt:
        """The prompts of all calls together.

        `tokens - cached` of it no earlier prompt began with; `tokens - ready` none that was answered by then.
        """
        return self._log.prompt

    @property
    def count(self) -> int:
        """Requests for a completion or a transcription, refused ones included."""
        return self._log.count

    @property
    def max_in_flight(self) -> int:
        """The most requests that were being answered at once."""
        return self._log.max_in_flight

    @property
    def remaining(self) -> int | None:
        """Replies that are left; None when a function answers."""
        return self._behaviour.replies.remaining
