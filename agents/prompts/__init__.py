"""Prompts, one a file, with `$name` for what is filled in."""

from functools import cache
from importlib.resources import files
from string import Template

__all__ = ["prompt"]


@cache
def _template(name: str) -> Template:
    return Template(files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8").strip())


def prompt(name: str, /, **filled: str) -> str:
    """The prompt `name`, filled in; a missing or misspelt placeholder raises KeyError."""
    return _template(name).substitute(filled)
