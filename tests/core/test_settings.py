"""Settings: what is wrong with one is told in our words, and a misspelt variable is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from consilience.core.errors import BadConfiguration
from consilience.core.settings import Limits, Settings, unknown_variables


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("CONSILIENCE_THREADS", "abc", "'threads' is wrong: input should be a valid integer"),
        ("CONSILIENCE_THREADS", "0", "greater than or equal to 1"),
        ("CONSILIENCE_LIMIT_PIXELS", "-1", "'pixels' is wrong: input should be greater than 0"),
    ],
)
def test_a_wrong_value_names_its_setting_and_where_it_is_set(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadConfiguration, match=told) as problem:
        Settings()
    assert variable in str(problem.value)
    assert "pydantic" not in str(problem.value)


def test_a_wrong_argument_is_told_alike() -> None:
    with pytest.raises(BadConfiguration, match="'pages' is wrong"):
        Limits(pages=0)


def test_a_secret_that_is_wrong_is_not_repeated() -> None:
    with pytest.raises(BadConfiguration) as problem:
        Settings(api_key=["hunter2"])  # type: ignore[arg-type]
    assert "hunter2" not in str(problem.value)


def test_a_file_that_is_no_toml_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("consilience.toml").write_text("threads = ")
    with pytest.raises(BadConfiguration, match="toml cannot be read"):
        Settings()


def test_a_variable_that_sets_nothing_is_named_with_the_one_that_was_meant() -> None:
    names = ["CONSILIENCE_CACHDIR", "CONSILIENCE_LIMIT_PIXELS", "CONSILIENCE_MCP_TOKEN", "HOME", "consilience_threads"]
    assert unknown_variables(names) == {"CONSILIENCE_CACHDIR": "CONSILIENCE_CACHE_DIR"}
