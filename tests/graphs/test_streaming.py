"""The judge's answer, read out of its JSON while that is being written."""

from __future__ import annotations

import json

import pytest
from consilience.graphs.nodes import judgement


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    pieces: list[str] = []
    monkeypatch.setattr(judgement, "emit", lambda event: pieces.append(event.text))
    return pieces


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_pieces_are_the_answer(heard: list[str], escaped: bool, size: int) -> None:
    answer = 'Platform "six" \\ für \U0001f600,\nnot four'
    claim = {"text": 'it says "answer": "no"', "label": "a1"}
    written = "```json\n" + json.dumps({"claims": [claim], "answer": answer, "more": "x"}, ensure_ascii=escaped)
    take = judgement._stream_answer()
    for start in range(0, len(written), size):
        take(written[start : start + size])
    assert "".join(heard) == answer
    assert all(piece for piece in heard)


def test_what_is_no_json_ends_the_pieces(heard: list[str]) -> None:
    take = judgement._stream_answer()
    for piece in ('{"answer": "six', " \\x seven", '"}'):
        take(piece)
    assert heard == ["six", " "]
