"""`consilience tools new`: a package with an encoder of one's own, its tests included, to start from."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer
from rich.console import Console

from consilience.core.errors import BadConfiguration, UnknownName
from consilience.core.settings import Settings
from consilience.observations import MODALITIES
from consilience.observations.kinds import VALUES
from consilience.tools.catalog import catalog

__all__ = ["new_command", "scaffold"]

# What the templates of each modality need of consilience.
_EXTRAS = {"audio": "[audio]", "video": "[video]", "document": "[document]", "table": "[table]"}


def new_command(
    name: Annotated[str, typer.Argument(help="What it observes, such as warmth: a Python name.")],
    modality: Annotated[str, typer.Option(help=f"What it reads: {', '.join(MODALITIES)}.")] = "image",
    into: Annotated[Path, typer.Option(help="Folder to put the package's folder into.")] = Path(),
) -> None:
    """Starts a plug-in package: an encoder that works, its entry point, and tests that pass. Change it into yours.

    Example: consilience tools new warmth --modality image
    """
    folder = scaffold(name, modality, into)
    Console(highlight=False, soft_wrap=True).print(
        f"Made {folder}. Next:\n\n  cd {folder}\n  pip install -e '.[test]'\n  pytest\n"
        f"  CONSILIENCE_PLUGINS={folder.name} consilience tools doctor {modality}.{name}",
        markup=False,
    )


def scaffold(name: str, modality: str, into: Path) -> Path:
    """Writes the package and gives its folder.

    Raises:
        UnknownName: there is no such modality.
        BadConfiguration: the name is not a Python name, is taken, or the folder exists.
    """
    if modality not in MODALITIES:
        raise UnknownName("modality", modality, MODALITIES)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name) or keyword.iskeyword(name):
        raise BadConfiguration(f"{name!r} cannot name an encoder.", cure="Use lower-case letters, digits and _.")
    if name in VALUES or f"{modality}.{name}" in {encoder.name for encoder in catalog(Settings()).encoders}:
        raise BadConfiguration(f"consilience observes {name!r} itself.", cure="Choose another name.")
    module, package = f"consilience_{name}", f"consilience-{name.replace('_', '-')}"
    folder = into / package
    if folder.exists():
        raise BadConfiguration(f"{folder} is there already.", cure="Choose another name, or another folder.")
    words = {
        "name": name,
        "modality": modality,
        "module": module,
        "package": package,
        "requirement": f"consilience{_EXTRAS.get(modality, '')}",
        "title": name.title().replace("_", ""),
        "medium": _text(f"media/{modality}.py"),
    }
    written = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"src/{module}/__init__.py": "package.py",
        f"src/{module}/encoder.py": f"encoders/{modality}.py",
        f"tests/test_{name}.py": "test.py",
    }
    for path, template in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(Template(_text(template)).substitute(words), encoding="utf-8")
    (folder / f"src/{module}/py.typed").touch()
    return folder


def _text(template: str) -> str:
    return (files("consilience.apps") / "templates" / f"{template}.template").read_text(encoding="utf-8")
