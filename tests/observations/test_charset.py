from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consilience.observations.charset import Charset, charset_of, read_text

TEXT = "Größe: 5 €, très bien\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_writing_is_read_in_the_characters_it_is_in(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(TEXT.encode(codec))
    assert read_text(path) == TEXT
    assert charset_of(path).guessed == (codec == "cp1252")


def test_the_whole_of_it_decides(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"a" * 3_000_000 + b"\xe9")
    assert charset_of(path) == Charset("cp1252", guessed=True)
    assert "a guess" in (charset_of(path).note or "")


@pytest.mark.parametrize("content", [b"\x81\x8d", b"\xff\xfea"])
def test_what_is_no_writing_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)
    with pytest.raises(UnicodeDecodeError):
        charset_of(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufeff")))
def test_utf_8_is_never_taken_for_anything_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(text.encode())
    if not text.startswith("\ufeff"):
        assert read_text(path) == text
