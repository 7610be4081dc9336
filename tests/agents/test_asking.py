from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from consilience.agents.asking import Filled, ask, conversation, log_odds
from consilience.agents.replies import Allowed, ComposeReply, Form, TurnReply, compose_form, turn_form

from consilience.core.errors import BadReply, ModelUnavailable
from consilience.core.settings import Settings
from consilience.models import Endpoint, Meter, Sampling, resolve
from consilience.testing import Fault, ModelServer, ScriptedChatModel

GOOD = {"evidence": [{"label": "i1", "quote": "Platform 4"}], "stated": "fully", "answer": "platform 4"}
WRONG_LABEL = {**GOOD, "evidence": [{"label": "i7", "quote": "Platform 4"}]}
FORM = turn_form(Allowed(["i1"]))

Scripted = Callable[..., tuple[ScriptedChatModel, Endpoint]]
InWords = Callable[..., tuple[list[str], Endpoint]]


async def fill(endpoint: Endpoint, meter: Meter | None = None, form: Form[Any] = FORM, **options: Any) -> Filled[Any]:
    return await ask(endpoint, conversation("Evidence.", "Answer."), form, meter=meter or Meter(), **options)


@contextmanager
def refused() -> Iterator[pytest.ExceptionInfo[BadReply]]:
    with pytest.raises(BadReply) as raised:
        yield raised


async def test_a_good_reply_is_asked_for_once(scripted: Scripted) -> None:
    model, endpoint = scripted(GOOD)
    filled = await fill(endpoint)
    assert filled == Filled(TurnReply.model_validate(GOOD), repaired=False)
    assert len(model.calls) == 1


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("I would say platform 4.", "it holds no JSON object"),
        ("", "it was empty"),
        (json.dumps(GOOD)[:-5], "Invalid JSON"),
        (WRONG_LABEL, 'there is no label "i7" (there are: i1)'),
        ({"answer": "platform 4"}, "stated: Field required"),
    ],
)
async def test_a_bad_reply_is_told_and_asked_for_again(scripted: Scripted, bad: Any, told: str) -> None:
    model, endpoint = scripted(bad, GOOD)
    filled = await fill(endpoint)
    assert filled == Filled(TurnReply.model_validate(GOOD), repaired=True)
    first, second = model.calls
    assert second.messages[: len(first.messages)] == first.messages
    broken, repair = second.messages[len(first.messages) :]
    assert (broken.type, broken.text) == ("ai", str(first.reply.text) or "(nothing)")  # type: ignore[union-attr]
    assert told in repair.text


async def test_two_bad_replies_are_an_error(scripted: Scripted) -> None:
    model, endpoint = scripted("first", "second" * 100, GOOD)
    meter = Meter()
    with refused() as raised:
        await fill(endpoint, meter)
    assert raised.value.model == endpoint.name
    assert raised.value.reply == ("second" * 100)[:200]
    assert "it holds no JSON object" in raised.value.problem
    assert len(model.calls) == 2
    assert meter.usage.calls == 2


async def test_both_calls_are_paid_for(scripted: Scripted) -> None:
    model, endpoint = scripted("bad", GOOD)
    meter = Meter()
    await fill(endpoint, meter)
    used = [call.reply.usage_metadata for call in model.calls]  # type: ignore[union-attr]
    assert meter.usage.calls == 2
    assert meter.usage.prompt_tokens == sum(usage["input_tokens"] for usage in used if usage)
    assert meter.usage.completion_tokens == sum(usage["output_tokens"] for usage in used if usage)


async def test_a_call_that_was_answered_is_paid_for_when_the_next_fails(scripted: Scripted) -> None:
    _, endpoint = scripted("bad", ConnectionError("gone"))
    meter = Meter()
    with pytest.raises(ModelUnavailable, match="gone"):
        await fill(endpoint, meter)
    assert (meter.usage.calls, meter.usage.failed) == (2, 1)


async def test_a_runaway_reply_goes_back_in_part(scripted: Scripted) -> None:
    model, endpoint = scripted("again and " * 1000, GOOD)
    await fill(endpoint)
    assert model.calls[1].messages[-2].text == ("again and " * 1000)[:600]


async def test_a_reply_that_was_cut_off_is_told_so() -> None:
    with ModelServer([GOOD, GOOD], faults=[Fault("length")]) as server:
        endpoint = resolve(server.base_url, Settings())
        filled = await fill(endpoint)
        await endpoint.close()
        assert filled == Filled(TurnReply.model_validate(GOOD), repaired=True)
        assert "it was cut off at the token limit" in server.calls[1].text


async def test_a_stream_that_broke_off_is_no_fault_of_the_model() -> None:
    pieces: list[str] = []
    meter = Meter()
    with ModelServer([GOOD, GOOD], faults=[Fault("truncated_json")]) as server:
        endpoint = resolve(server.base_url, Settings(retry_seconds=0.01))
        filled = await fill(endpoint, meter, on_text=pieces.append)
        await endpoint.close()
        assert not filled.repaired
        assert server.calls[1].text == server.calls[0].text
    # What is asked for again is not streamed: the reader would see two beginnings.
    assert 0 < len("".join(pieces)) < len(json.dumps(GOOD))
    assert (meter.usage.calls, meter.usage.failed) == (2, 1)


async def test_what_came_of_two_cut_replies_is_told() -> None:
    with ModelServer([GOOD, GOOD], faults=[Fault("length"), Fault("length")]) as server:
        endpoint = resolve(server.base_url, Settings())
        with refused() as raised:
            await fill(endpoint)
        await endpoint.close()
    assert "cut off at the token limit" in raised.value.problem
    assert json.dumps(GOOD).startswith(raised.value.reply)


@pytest.mark.parametrize("kind", ["refusal", "garbage", "wrong_schema"])
async def test_content_that_is_bad_is_repaired(kind: Any) -> None:
    with ModelServer([GOOD], faults=[Fault(kind)]) as server:
        endpoint = resolve(server.base_url, Settings())
        filled = await fill(endpoint)
        await endpoint.close()
    assert filled == Filled(TurnReply.model_validate(GOOD), repaired=True)


async def test_both_calls_carry_schema_and_sampling() -> None:
    with ModelServer(["bad", GOOD]) as server:
        endpoint = resolve(server.base_url, Settings())
        await fill(endpoint, sampling=Sampling(temperature=0.5, seed=7, max_tokens=99))
        await endpoint.close()
        for call in server.calls:
            assert (call.body["temperature"], call.body["seed"]) == (0.5, 7)
            assert call.body["response_format"]["json_schema"]["schema"] == FORM.schema


async def test_a_runnable_is_told_the_schema_in_words(in_words: InWords) -> None:
    prompts, endpoint = in_words(f"Gladly: {json.dumps(GOOD)}")
    assert await fill(endpoint) == Filled(TurnReply.model_validate(GOOD), repaired=False)
    assert json.dumps(FORM.schema) in prompts[0]


async def test_a_runnable_may_answer_in_words(in_words: InWords) -> None:
    prompts, endpoint = in_words("  It leaves from platform 4.\n")
    filled = await fill(endpoint)
    assert filled == Filled(TurnReply(stated="fully", answer="It leaves from platform 4."), repaired=False)
    assert len(prompts) == 1


async def test_a_runnable_that_tried_json_may_fall_back_to_words(in_words: InWords) -> None:
    _, endpoint = in_words('{"answer": ', "platform 4")
    assert await fill(endpoint) == Filled(TurnReply(stated="fully", answer="platform 4"), repaired=True)


async def test_a_runnable_that_says_nothing_is_asked_again(in_words: InWords) -> None:
    prompts, endpoint = in_words(" ", "")
    meter = Meter()
    with refused():
        await fill(endpoint, meter)
    assert len(prompts) == meter.usage.calls == 2


async def test_words_do_not_make_a_judges_answer(in_words: InWords) -> None:
    answer = {"claims": [], "stated": "fully", "answer": "platform 4"}
    _, endpoint = in_words("platform 4", json.dumps(answer))
    filled = await fill(endpoint, form=compose_form(["i1"]))
    assert filled == Filled(ComposeReply.model_validate(answer), repaired=True)


async def test_a_chat_model_is_not_told_the_schema_in_words(scripted: Scripted) -> None:
    model, endpoint = scripted(GOOD)
    await fill(endpoint)
    assert "JSON schema" not in model.calls[0].prompt
    assert model.calls[0].kwargs["response_format"]["json_schema"]["schema"]["properties"].keys() == GOOD.keys()


async def test_a_chat_model_that_answers_in_words_is_asked_again(scripted: Scripted) -> None:
    model, endpoint = scripted("platform 4", "platform 4")
    with refused():
        await fill(endpoint)
    assert len(model.calls) == 2


@pytest.mark.parametrize(
    ("likely", "expected"),
    [
        ({"yes": -0.5, "no": -1.5, "the": -4}, 1.0),
        ({" No": -0.25, " Yes": -2.25, "yes": -6, "NO": -7}, -2.0),
        # A word that is not among the likely ones is at most as likely as the rarest of them.
        ({"yes": -1, "maybe": -3}, 2.0),
        ({"maybe": -3, "no": -1}, -2.0),
    ],
)
async def test_leanings_are_read_off_the_first_token(
    weighing: Scripted, likely: dict[str, float], expected: float
) -> None:
    model, endpoint = weighing(likely)
    meter = Meter()
    assert await log_odds(endpoint, "Is it?", meter=meter) == expected
    assert (model.calls[0].kwargs["max_tokens"], model.calls[0].kwargs["logprobs"]) == (1, True)
    assert model.calls[0].prompt.endswith("Is it?")
    assert meter.usage.calls == 1


@pytest.mark.parametrize("likely", [{}, {"maybe": -1.0}])
async def test_no_leaning_is_an_error_that_costs_a_seat_at_most(weighing: Scripted, likely: dict[str, float]) -> None:
    _, endpoint = weighing(likely)
    meter = Meter()
    with pytest.raises(BadReply, match="no odds of yes and no"):
        await log_odds(endpoint, "Is it?", meter=meter)
    assert meter.usage.calls == 1
