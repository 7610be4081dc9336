from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableLambda

from consilience.core.settings import Settings
from consilience.models import Endpoint, resolve
from consilience.observations import MODALITIES, Media, Modality, Observation, Provenance, Record
from consilience.testing import ScriptedChatModel


def line(modality: Modality, text: str) -> tuple[Media, Observation]:
    media_id = "sha256:" + str(MODALITIES.index(modality)) * 64
    media = Media(id=media_id, mime="x/y", modality=modality, name=f"the {modality}", size=1)
    provenance = Provenance(media=media_id, modality=modality, tool="test", version="1")
    return media, Observation(kind="line", value={}, text=text, provenance=provenance)


@pytest.fixture
def record_of() -> Callable[..., Record]:
    """A record of lines, each a modality and a text; one medium for each modality."""

    def make(*lines: tuple[Modality, str]) -> Record:
        made = [line(*told) for told in lines]
        return Record([media for media, _ in made], [observation for _, observation in made])

    return make


@pytest.fixture
def record(record_of: Callable[..., Record]) -> Record:
    """i1 and i2 off a picture, a1 out of a recording, d1 off a page."""
    return record_of(
        ("image", "York 10:42 Platform 4"),
        ("image", "a clock"),
        ("audio", "The train to York leaves from platform nine, not four."),
        ("document", "Platform 4 is closed on Sundays"),
    )


@pytest.fixture
def scripted() -> Callable[..., tuple[ScriptedChatModel, Endpoint]]:
    """A chat model with these replies, and its endpoint."""

    def make(*replies: Any) -> tuple[ScriptedChatModel, Endpoint]:
        model = ScriptedChatModel(replies=replies)
        return model, resolve(model, Settings())

    return make


@pytest.fixture
def in_words() -> Callable[..., tuple[list[str], Endpoint]]:
    """The prompts that a plain Runnable gets, and its endpoint; it gives these replies."""

    def make(*replies: str) -> tuple[list[str], Endpoint]:
        prompts: list[str] = []

        def answer(messages: list[Any]) -> str:
            prompts.append("\n".join(message.text for message in messages))
            return replies[len(prompts) - 1]

        runnable: Runnable[Any, Any] = RunnableLambda(answer)
        return prompts, resolve(runnable, Settings())

    return make


class _Held:
    def __init__(self, model: ScriptedChatModel) -> None:
        self._model = model

    async def open(self) -> ScriptedChatModel:
        return self._model

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def weighing() -> Callable[..., tuple[ScriptedChatModel, Endpoint]]:
    """A chat model that tells these log-probabilities of its first token, by call, or replies; and its endpoint."""

    def make(*odds: dict[str, float] | AIMessage) -> tuple[ScriptedChatModel, Endpoint]:
        replies = [
            told if isinstance(told, AIMessage) else AIMessage("yes", response_metadata=_told(told)) for told in odds
        ]
        model = ScriptedChatModel(replies=replies)
        return model, Endpoint("weighing", _Held(model), method="json_schema", tells_alternatives=True)

    return make


def _told(likely: dict[str, float]) -> dict[str, Any]:
    first = {"top_logprobs": [{"token": token, "logprob": logprob} for token, logprob in likely.items()]}
    return {"logprobs": {"content": [first]}}
