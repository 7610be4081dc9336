from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import openai
import pytest
from langchain_openai import ChatOpenAI

from consilience.testing import ModelServer

ClientOf = Callable[..., ChatOpenAI]


@pytest.fixture
def client_of() -> Iterator[ClientOf]:
    """A blocking client of a server; what it opens is closed after the test."""
    opened: list[openai.DefaultHttpxClient] = []

    def make(server: ModelServer, **options: object) -> ChatOpenAI:
        opened.append(openai.DefaultHttpxClient())
        settings = {"model": server.model, "api_key": "sesame", "max_retries": 0, "timeout": 20, **options}
        return ChatOpenAI(base_url=server.base_url, http_client=opened[-1], **settings)

    yield make
    for client in opened:
        client.close()


@pytest.fixture
async def async_client_of() -> AsyncIterator[ClientOf]:
    opened: list[openai.DefaultAsyncHttpxClient] = []

    def make(server: ModelServer, **options: object) -> ChatOpenAI:
        opened.append(openai.DefaultAsyncHttpxClient())
        settings = {"model": server.model, "api_key": "sesame", "max_retries": 0, "timeout": 20, **options}
        return ChatOpenAI(base_url=server.base_url, http_async_client=opened[-1], **settings)

    yield make
    for client in opened:
        await client.aclose()
