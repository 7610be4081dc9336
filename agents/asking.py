"""Asking a model to fill in a form: whatever comes back is checked, and asked for again at most once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from consilience.agents.exhibit import Exhibit, blocks_of
from consilience.agents.prompts import prompt
from consilience.agents.replies import Form
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel

from consilience.core.errors import BadReply, ReplyFault
from consilience.models import Endpoint, Meter, Reply, Sampling

__all__ = ["Filled", "ask", "conversation", "log_odds"]

T = TypeVar("T", bound=BaseModel)

_WRONG: dict[ReplyFault, str] = {
    "form": "it was not in the form asked for",
    "empty": "it was empty",
    "refusal": "it did not answer",
    "cut": "it was cut off at the token limit",
}


@dataclass(frozen=True)
class Filled(Generic[T]):
    """A form, filled in and checked."""

    value: T
    repaired: bool


def conversation(shared: str, instruction: str, exhibits: Sequence[Exhibit] = ()) -> list[BaseMessage]:
    """A prompt whose beginning is the same for every seat and only grows, so that a prefix cache can serve it."""
    asked = blocks_of(f"{shared}\n\n{instruction}", exhibits)
    return [SystemMessage(prompt("system")), HumanMessage(content=asked)]


async def ask(
    endpoint: Endpoint,
    messages: Sequence[BaseMessage],
    form: Form[T],
    *,
    meter: Meter,
    sampling: Sampling | None = None,
    on_text: Callable[[str], None] | None = None,
) -> Filled[T]:
    """The form as the model filled it in.

    Raises:
        ModelUnavailable: the endpoint failed.
        BadReply: the second reply could not be used either.
        BudgetSpent: the meter's ledger did not admit a call.
    """
    try:
        reply = await endpoint.complete(messages, schema=form.schema, sampling=sampling, on_text=on_text, meter=meter)
        return Filled(_read(form, reply), repaired=False)
    except BadReply as problem:
        said, told = problem.reply, _WRONG[problem.kind]
    except ValueError as problem:
        said, told = reply.text, _told(problem, reply)
    # The broken reply goes back only in part: a runaway one would fill the context.
    again = [*messages, AIMessage(said[:600] or "(nothing)"), HumanMessage(prompt("repair", problem=told))]
    second = await endpoint.complete(again, schema=form.schema, sampling=sampling, meter=meter)
    try:
        return Filled(_read(form, second), repaired=True)
    except ValueError as problem:
        raise BadReply(
            endpoint.name,
            f"its reply could not be used, nor could the second one ({_told(problem, second)}).",
            reply=second.text,
        ) from problem


def _read(form: Form[T], reply: Reply) -> T:
    words = reply.text.strip()
    if reply.method == "text" and form.from_words and words and "{" not in words:
        return form.from_words(words)
    return form.parse(words)


async def log_odds(endpoint: Endpoint, question: str, *, meter: Meter) -> float:
    """How far the model leans to "yes" (above 0) or "no" (below) on a question, by the odds of its first token.

    One token is generated. Beware that small models lean the same way on many questions: compare, do not threshold.

    Raises:
        ModelUnavailable: the endpoint failed.
        BadReply: it does not tell the alternatives, or neither word is among them.
    """
    messages = [SystemMessage(prompt("weighing")), HumanMessage(question)]
    sampling = Sampling(max_tokens=1, temperature=0, alternatives=20)
    reply = await endpoint.complete(messages, sampling=sampling, meter=meter)
    told = sorted(reply.alternatives.items(), key=lambda item: item[1])
    by_word = {token.strip().casefold(): logprob for token, logprob in told}
    if not by_word.keys() & {"yes", "no"}:
        raise BadReply(endpoint.name, "it tells no odds of yes and no.", reply=reply.text)
    rarest = told[0][1]
    return by_word.get("yes", rarest) - by_word.get("no", rarest)


def _told(problem: ValueError, reply: Reply) -> str:
    return "it was cut off at the token limit" if reply.cut else str(problem)
