from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from consilience import testing
from consilience.core.errors import MissingExtra
from consilience.testing import ModelServer


def test_the_names_are_sorted_and_there() -> None:
    assert list(testing.__all__) == sorted(testing.__all__)
    for name in testing.__all__:
        assert getattr(testing, name) is not None
        assert name in dir(testing)
    with pytest.raises(AttributeError, match="Nothing"):
        testing.Nothing  # noqa: B018


def test_importing_loads_nothing() -> None:
    told = "import sys, consilience.testing; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert not {"langchain_core", "pydantic", "starlette", "uvicorn"} & set(run.stdout.split())


@pytest.mark.parametrize("name", ["application", "calls", "formats", "scripted", "server", "serving"])
def test_no_module_needs_the_extra_to_be_imported(name: str) -> None:
    told = (
        "import sys; sys.modules.update(dict.fromkeys(('starlette', 'uvicorn', 'python_multipart', 'openai')));"
        f"import consilience.testing.{name}"
    )
    subprocess.run([sys.executable, "-c", told], check=True, capture_output=True)
    assert import_module(f"consilience.testing.{name}").__all__


def test_without_the_extra_the_error_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtra, match=r"consilience\[testing\]"), ModelServer():
        pass
