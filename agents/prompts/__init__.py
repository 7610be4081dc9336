"""Prompts, one a file, with `$name` for what is filled in."""

import hashlib
from functools import cache
from importlib.resources import files
from string import Template

__all__ = ["prompt", "wording"]


@cache
def _template(name: str) -> Template:
    return Template(files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8").strip())


def prompt(name: str, /, **filled: str) -> str:
    """The prompt `name`, filled in; a missing or misspelt placeholder raises KeyError."""
    return _template(name).substitute(filled)


@cache
def wording() -> str:
    """Digest of all prompts, 16 characters: what was measured with other words is not to be mixed with what is now."""
    texts = sorted((file.name, file.read_bytes()) for file in files(__name__).iterdir() if file.name.endswith(".md"))
    return hashlib.sha256(repr(texts).encode()).hexdigest()[:16]
