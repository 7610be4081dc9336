"""Who may import whom: everything points one way, from the applications down to the core."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

import consilience

# Each layer may import itself and the layers before it.
LAYERS = ("core", "observations", "models", "fusion", "tools", "agents", "graphs", "evaluation", "testing", "apps")
PEERS = {"models": {"observations"}, "fusion": {"observations", "models"}, "tools": {"fusion"}}
"""Layers of the same height, which do not import one another."""

HEAVY = {"cv2", "faster_whisper", "gradio", "onnxruntime", "openai", "pandas", "rapidocr", "torch", "xllamacpp", "av"}


def folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(f"consilience.{package}")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations)))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules that a file imports, each with whether it does so when it is itself imported."""
    tree = ast.parse(path.read_text())
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(node)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield node.module, id(node) not in lazy


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_every_package_has_its_place() -> None:
    found = {path.name for path in Path(consilience.__file__).parent.iterdir() if (path / "__init__.py").is_file()}
    assert found | {"agents", "tools", "graphs"} == set(LAYERS)


@pytest.mark.parametrize("package", LAYERS)
def test_imports_point_down(package: str) -> None:
    below = set(LAYERS[: LAYERS.index(package) + 1]) - PEERS.get(package, set())
    wrong = [
        f"{path.name} imports {module}"
        for path in folder_of(package).rglob("*.py")
        for module, _ in imports(path)
        if module.startswith("consilience.") and module.split(".")[1] not in below
    ]
    assert not wrong


@pytest.mark.parametrize("package", LAYERS)
def test_heavy_packages_are_imported_where_they_are_used(package: str) -> None:
    wrong = [
        f"{path.name} imports {module}"
        for path in folder_of(package).rglob("*.py")
        for module, at_once in imports(path)
        if at_once and module.split(".")[0] in HEAVY
    ]
    assert not wrong
