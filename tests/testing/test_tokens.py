from __future__ import annotations

import pytest

from consilience.testing.tokens import PrefixCache, count_tokens, prompt_text


@pytest.mark.parametrize(("characters", "tokens"), [(0, 1), (1, 1), (7, 1), (8, 2), (400, 100)])
def test_four_characters_a_token(characters: int, tokens: int) -> None:
    assert count_tokens("x" * characters) == tokens


def test_whole_blocks_of_an_earlier_prefix_are_cached() -> None:
    cache = PrefixCache()
    shared = "".join(chr(65 + place % 26) for place in range(150))  # 2 blocks of 64 characters, and 22 more
    assert cache.admit("m", shared).seen == 0
    assert cache.admit("m", shared).seen == 32
    assert cache.admit("m", shared + "x" * 100).seen == 32
    assert cache.admit("m", shared + "x" * 200).seen == 48
    assert cache.admit("m", "!" + shared).seen == 0
    assert cache.admit("other", shared).seen == 0


def test_a_block_is_ready_once_its_prompt_is_answered() -> None:
    cache = PrefixCache()
    first = cache.admit("m", "a" * 128)
    together = cache.admit("m", "a" * 128)
    assert (together.seen, together.ready) == (32, 0)
    cache.answered(first)
    later = cache.admit("m", "a" * 128 + "b" * 64)
    assert (later.seen, later.ready) == (32, 32)
    assert cache.admit("m", "a" * 128 + "b" * 64).ready == 32


def test_a_block_in_another_place_is_not_cached() -> None:
    cache = PrefixCache()
    first, second = "a" * 64, "b" * 64
    cache.admit("m", first + second)
    assert cache.admit("m", second + first).seen == 0


def test_the_text_of_a_prompt_holds_tools_first_and_media_by_hash() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "what?", "id": "random"}, image]}]
    text = prompt_text({"messages": messages, "tools": [{"type": "function", "function": {"name": "look"}}]})
    assert text.startswith('[{"function":{"name":"look"}')
    assert "what?" in text
    assert "random" not in text
    assert len(text) < 250
    other = {"type": "image_url", "image_url": {"url": "data:image/png;base64,BBBB"}}
    assert prompt_text({"messages": [{"role": "user", "content": [other]}]}) != prompt_text(
        {"messages": [{"role": "user", "content": [image]}]}
    )
