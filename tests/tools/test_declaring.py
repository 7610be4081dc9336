"""Declaring an encoder: what cannot be meant is refused with the choices."""

from __future__ import annotations

from typing import Any

import pytest
from consilience.tools import encoder
from consilience.tools.image.objects import objects

from consilience.core.errors import BadConfiguration, UnknownName


def declare(**traits: Any) -> None:
    given: dict[str, Any] = {"modality": "image", "kinds": ("warmth",), "version": "1", **traits}

    @encoder(**given)
    def warmth(excerpt: Any) -> Any:
        """Tells nothing."""
        return ()


def test_what_is_right_is_taken() -> None:
    declare()


def test_a_modality_that_there_is_not() -> None:
    with pytest.raises(UnknownName, match="Unknown modality 'picture'") as raised:
        declare(modality="picture")
    assert "image" in raised.value.choices


def test_a_cost_class_that_there_is_not() -> None:
    with pytest.raises(UnknownName, match="light"):
        declare(cost="cheap")


@pytest.mark.parametrize("kinds", [(), "object", ("",), (7,)])
def test_kinds_are_names(kinds: Any) -> None:
    with pytest.raises(BadConfiguration, match="transcript"):
        declare(kinds=kinds)


def test_a_misspelt_parameter_is_told_with_those_there_are() -> None:
    name = next(iter(objects.parameters.model_fields))
    with pytest.raises(BadConfiguration, match=f"there is no parameter '{name}s'.* Did you mean '{name}'") as raised:
        objects.bind({f"{name}s": 1})
    assert "Extra inputs" not in str(raised.value)
