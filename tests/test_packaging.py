"""The wheel, installed where nothing else is: all of the package is in it, and a plug-in package is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WHEELHOUSE = ROOT / ".wheelhouse"
SOURCES = ["agents", "tools", "graphs", "src", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"]

IMPORT_ALL = """
import importlib, pkgutil, consilience
names = [module.name for module in pkgutil.walk_packages(consilience.__path__, "consilience.")]
for name in names:
    importlib.import_module(name)
print(*names)
"""


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What the command prints; fails with all that it said."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, so that nothing left over in the checkout gets in."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    shutil.rmtree(folder / "src/consilience.egg-info", ignore_errors=True)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", folder=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the wheel and the plug-in, from local wheels alone."""
    if not WHEELHOUSE.is_dir():
        pytest.fail("there is no .wheelhouse: run the tests with `make test`, or `make install` before")
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    python = folder / "venv/bin/python"
    plugin = shutil.copytree(ROOT / "examples/plugin", folder / "plugin")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index"]
    wheels = [f"consilience[image,testing] @ {wheel.as_uri()}", "setuptools"]
    run(*install, "--find-links", WHEELHOUSE, *wheels, folder=folder)
    run(*install, "--no-build-isolation", "--no-deps", plugin, folder=folder)
    return python


def test_the_wheel_holds_the_project_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    version = wheel.name.split("-")[1]
    assert {name.split("/")[0] for name in names} == {"consilience", f"consilience-{version}.dist-info"}
    tops = [path for top in ("agents", "tools", "graphs") for path in files(ROOT / top)]
    expected = {
        *(f"consilience/{path.relative_to(ROOT)}" for path in tops),
        *(str(path.relative_to(ROOT / "src")) for path in files(ROOT / "src/consilience")),
    }
    assert {name for name in names if name.startswith("consilience/")} == expected


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


@pytest.mark.timeout(600)
def test_every_module_imports_without_what_only_some_need(fresh: Path, tmp_path: Path) -> None:
    imported = set(run(fresh, "-W", "error", "-c", IMPORT_ALL, folder=tmp_path).split())
    assert {"consilience.agents.judge", "consilience.graphs.nodes.rounds", "consilience.tools.audio.speech"} <= imported


@pytest.mark.timeout(600)
def test_a_plugin_package_is_found_where_it_is_allowed_and_only_there(fresh: Path, tmp_path: Path) -> None:
    consilience = fresh.parent / "consilience"
    cache = str(tmp_path / "cache")
    listed = json.loads(run(consilience, "tools", "list", "--json", folder=tmp_path, CONSILIENCE_PLUGINS=""))
    assert "image.warmth" not in {tool["name"] for tool in listed["encoders"]}
    (waiting,) = listed["not_allowed"]
    assert waiting["package"] == "consilience-warmth"
    assert "CONSILIENCE_PLUGINS=consilience-warmth" in waiting["cure"]

    allowed = {"CONSILIENCE_PLUGINS": "consilience-warmth", "CONSILIENCE_CACHE_DIR": cache}
    listed = json.loads(run(consilience, "tools", "list", "--json", folder=tmp_path, **allowed))
    packages = {tool["name"]: tool["package"] for tool in listed["encoders"]}
    assert packages["image.warmth"] == "consilience-warmth 0.1.0"
    assert "image.warmth works" in run(consilience, "tools", "doctor", "image.warmth", folder=tmp_path, **allowed)
    scene = ROOT / "examples/media/scene.png"
    assert "the colours are warm" in run(consilience, "observe", scene, "--json", folder=tmp_path, **allowed)


@pytest.mark.timeout(600)
def test_a_new_plugin_package_is_built_installed_and_tested(fresh: Path, tmp_path: Path) -> None:
    consilience = fresh.parent / "consilience"
    run(consilience, "tools", "new", "gauge", folder=tmp_path)
    package = tmp_path / "consilience-gauge"
    install = [sys.executable, "-m", "pip", "--python", fresh, "install", "--quiet", "--no-index", "--no-deps"]
    run(*install, "--no-build-isolation", package, folder=tmp_path)
    (package / "src").rename(tmp_path / "unused")  # what is tested is what was installed
    assert " passed" in run(fresh, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", folder=package)
    allowed = {"CONSILIENCE_PLUGINS": "consilience-gauge", "CONSILIENCE_CACHE_DIR": str(tmp_path / "cache")}
    assert "image.gauge works" in run(consilience, "tools", "doctor", "image.gauge", folder=tmp_path, **allowed)
