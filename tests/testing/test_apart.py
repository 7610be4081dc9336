from __future__ import annotations

import multiprocessing
from collections.abc import Callable

import openai
import pytest
from langchain_openai import ChatOpenAI

from consilience.testing import Fault, ModelServer, ServerApart, at_rate, either, where

ClientOf = Callable[..., ChatOpenAI]


def test_it_serves_from_another_process_and_tells_what_adds_up() -> None:
    with ServerApart(replies=["nine", "ten"], latency=0.01) as server:
        with openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
            said = [
                client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x" * 400}])
                for _ in range(2)
            ]
        served = server.told()
    assert [each.choices[0].message.content for each in said] == ["nine", "ten"]
    assert (served.calls, served.max_in_flight) == (2, 1)
    assert (served.prompt.cached, served.prompt.ready) == (96, 96)
    assert multiprocessing.active_children() == []


def test_faults_go_along() -> None:
    with (
        ServerApart(faults=either(where("?", Fault("server_error"), times=1), at_rate(0, [Fault("reset")]))) as server,
        openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client,
        pytest.raises(openai.InternalServerError),
    ):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])


def test_a_server_that_remembers_nothing_counts_all_the_same(client_of: ClientOf) -> None:
    with ModelServer(remember=False) as server:
        for _ in range(3):
            client_of(server).invoke("how many?")
    assert (server.calls, server.count, server.max_in_flight) == ((), 3, 1)
    assert server.prompt.tokens > 0


def test_a_rate_of_faults_counts_every_attempt(client_of: ClientOf) -> None:
    always = at_rate(1, [Fault("server_error")])
    with ModelServer(faults=always) as server, pytest.raises(openai.InternalServerError):
        client_of(server, max_retries=2).invoke("?")
    assert server.count == 3
