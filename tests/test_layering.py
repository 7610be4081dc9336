"""Who may import whom: everything points one way, from the applications down to the core."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

import consilience

FOUNDATION = {"core", "models", "observations"}
ALL = FOUNDATION | {"tools", "fusion", "agents", "graphs"}
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "models": {"core"},
    "observations": {"core"},
    "tools": FOUNDATION,
    "fusion": {"core", "observations"},
    "agents": FOUNDATION,
    "graphs": ALL,
    "evaluation": ALL,
    "testing": FOUNDATION | {"tools"},
    "apps": ALL | {"evaluation"},
}
"""The table in CONTRIBUTING.md. tools, fusion and agents never import one another."""

RUNS_GRAPHS = {"graphs", "evaluation", "apps"}
LONGEST_MODULE, LONGEST_FUNCTION, MOST_PARAMETERS = 600, 70, 7

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


def modules_of(package: str) -> list[Path]:
    return sorted(folder_of(package).rglob("*.py"))


def test_every_package_has_its_place() -> None:
    found = {path.name for path in Path(consilience.__file__).parent.iterdir() if (path / "__init__.py").is_file()}
    assert found | {"agents", "tools", "graphs"} == set(MAY_IMPORT)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = [
        f"{path.name} imports {module}"
        for path in modules_of(package)
        for module, _ in imports(path)
        if module.split(".")[0] == "consilience" and module.partition(".")[2].split(".")[0] not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("package", sorted(set(MAY_IMPORT) - RUNS_GRAPHS))
def test_only_those_who_run_graphs_import_langgraph(package: str) -> None:
    wrong = [path.name for path in modules_of(package) for module, _ in imports(path) if module.startswith("langgraph")]
    assert not wrong


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_modules_and_functions_stay_short(package: str) -> None:
    long: list[str] = []
    for path in modules_of(package):
        text = path.read_text()
        if text.count("\n") > LONGEST_MODULE or path.stem in ("utils", "helpers", "common"):
            long.append(path.name)
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            parameters = [a for a in (*node.args.args, *node.args.kwonlyargs) if a.arg not in ("self", "cls")]
            # The command line's parameters are its options.
            crowded = len(parameters) > MOST_PARAMETERS and not node.name.endswith("_command")
            if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION or crowded:
                long.append(f"{path.name}: {node.name}")
    assert not long


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_heavy_packages_are_imported_where_they_are_used(package: str) -> None:
    wrong = [
        f"{path.name} imports {module}"
        for path in modules_of(package)
        for module, at_once in imports(path)
        if at_once and module.split(".")[0] in HEAVY
    ]
    assert not wrong
