from __future__ import annotations

import pytest
from consilience.agents import SPECIALISTS, Expert, Stance
from consilience.graphs.options import Asking

from consilience.models import Sampling


@pytest.mark.parametrize(
    "expert",
    [
        *SPECIALISTS.values(),
        Expert("x", "x", view=("text", "table"), model="openai:x", sampling=Sampling(temperature=0.5), reliability=0.5),
        Expert("advocate", "an advocate", stance=Stance.defend("platform 4")),
        Expert("nobody", "sees nothing", view=()),
    ],
    ids=lambda expert: expert.name,
)
def test_an_expert_comes_back_from_what_is_kept_of_a_run(expert: Expert) -> None:
    kept = Asking.of("Which?", {"experts": [expert]}).model_dump_json()
    assert Asking.model_validate_json(kept).completed({})["experts"] == [expert]
