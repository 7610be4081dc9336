"""Which protocol a question gets of which none is named."""

from __future__ import annotations

from typing import Any

import pytest
from consilience.graphs import AskOptions, Protocol
from consilience.graphs.options import effective_protocol

from consilience import Expert, aask
from consilience.core.errors import UnknownName
from consilience.core.settings import Settings
from consilience.testing import ModelServer


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSILIENCE_PROTOCOL")


@pytest.mark.usefixtures("plain")
async def test_a_question_alone_is_one_call_to_one_expert(server: ModelServer, settings: Settings) -> None:
    unset = Settings(cache_dir=settings.cache_dir)
    verdict = await aask("Which platform?", ["It leaves from platform 4."], model=server.base_url, settings=unset)
    assert (verdict.payoff.ran if verdict.payoff else "", len(verdict.seats), len(server.calls)) == ("single", 1, 1)


@pytest.mark.usefixtures("plain")
def test_nothing_said_is_the_settings_protocol() -> None:
    assert effective_protocol({}).name == Settings().protocol
    assert effective_protocol({"settings": Settings(protocol="vote")}).name == "vote"


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    "said",
    [{"experts": [Expert("critic", "a critic")]}, {"rounds": 2}, {"looks": 1}, {"route": True}, {"pause": ["judge"]}],
)
def test_what_only_a_debate_has_makes_it_one(said: dict[str, Any]) -> None:
    options: AskOptions = {"settings": Settings(protocol="single"), **said}  # type: ignore[typeddict-item]
    assert effective_protocol(options).name == "debate"


def test_a_setting_that_seats_specialists_stays() -> None:
    said: AskOptions = {"experts": [Expert("critic", "a critic")], "settings": Settings(protocol="panel")}
    assert effective_protocol(said).name == "panel"


@pytest.mark.parametrize("said", [{"seed": 3}, {"options": ["a", "b"]}, {"experts": []}, {"rounds": 0}])
def test_what_any_protocol_has_does_not(said: dict[str, Any]) -> None:
    options: AskOptions = {"settings": Settings(protocol="single"), **said}  # type: ignore[typeddict-item]
    assert effective_protocol(options).name == "single"


def test_what_is_named_counts() -> None:
    said: AskOptions = {"protocol": "panel", "rounds": 0, "settings": Settings(protocol="single")}
    assert effective_protocol(said).name == "panel"
    own = Protocol("own", rule="plurality")
    assert effective_protocol({"protocol": own}) == own


def test_a_setting_that_names_no_protocol_says_which_there_are() -> None:
    with pytest.raises(UnknownName, match="gated_debate"):
        effective_protocol({"settings": Settings(protocol="debat")})
