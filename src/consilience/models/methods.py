"""How an endpoint is asked for structured output, and what is done where it takes a way of asking and gives nothing."""

from __future__ import annotations

from typing import Literal, TypeAlias

from consilience.core.errors import BadReply, ModelError, ModelUnavailable

__all__ = ["Ladder", "Method"]

Method: TypeAlias = Literal["json_schema", "native", "function_calling", "text"]
"""json_schema in the request of the OpenAI protocol; the LangChain model's own `with_structured_output`; a function
that the model has to call; or in words, at the end of the prompt."""

_BELOW: dict[Method, Method] = {"json_schema": "function_calling", "native": "text", "function_calling": "text"}

_ENOUGH = 2
"""Empty replies in a row until a way of asking that has never worked is doubted: one may be chance."""

_FORMATS = ("response_format", "json_schema", "json schema", "schema", "tool", "function", "grammar")


class Ladder:
    """An endpoint's way of asking, and those below it.

    Some endpoints answer a way of asking that they do not know with an empty reply, others with status 400. Where a way
    has never worked and either happens, the next one is tried; the first that works is kept for good.
    """

    def __init__(self, first: Method) -> None:
        self.method: Method = first
        self._proven = False
        self._empty = 0

    def worked(self, method: Method) -> None:
        """A structured reply came by this way."""
        if not self._proven:
            self.method, self._proven = method, True
        self._empty = 0

    def below(self, method: Method, problem: ModelError) -> Method | None:
        """The way to try after `method` failed so; None where it is not to blame, or is the last."""
        if self._proven:
            return None
        if isinstance(problem, BadReply) and problem.kind == "empty":
            self._empty += 1
            return _BELOW.get(method) if self._empty >= _ENOUGH else None
        return _BELOW.get(method) if _names_the_format(problem) else None


def _names_the_format(problem: ModelError) -> bool:
    if not isinstance(problem, ModelUnavailable) or problem.kind != "request":
        return False
    told = str(problem.__cause__ or problem).casefold()
    return any(word in told for word in _FORMATS)
