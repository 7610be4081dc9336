"""Remote models behind an OpenAI-compatible API: what they are called, and how they are asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from consilience.core.errors import MissingExtra, ModelUnavailable
from consilience.core.settings import Settings

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["asking", "remote_name"]

_USUAL = "https://api.openai.com/v1"


def remote_name(model: str | None, settings: Settings) -> str:
    """`seer at http://host:8000/v1`: the model and where it is asked, as provenance and cache keys have it.

    Another server may have another model of the same name. Credentials in the address are left out.
    """
    address = urlsplit(_address(settings))
    return f"{model} at {address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}".rstrip("/")


@contextmanager
def asking(model: str | None, settings: Settings, purpose: str) -> Iterator[OpenAI]:
    """A client of the settings' server, to ask `model` with inside.

    Args:
        model: named in errors.
        settings: for server, key and time-out.
        purpose: `Asking a vision model`, for the error that names the extra.

    Raises:
        MissingExtra: the client is not installed.
        ModelUnavailable: the model cannot be reached, or answers with an error, not in time, or with something else
            than JSON.
    """
    try:
        import openai
    except ImportError as problem:
        raise MissingExtra("openai", "openai", purpose) from problem
    key = settings.api_key.get_secret_value() if settings.api_key else None
    name = model or ""
    try:
        with openai.OpenAI(base_url=_address(settings), api_key=key, timeout=settings.request_seconds) as client:
            yield client
    except openai.OpenAIError as problem:
        raise ModelUnavailable(name, f"{type(problem).__name__}.", cure="Check base URL, key and model.") from problem
    except ValueError as problem:
        raise ModelUnavailable(name, "its answer is no JSON.", cure="Check the base URL.") from problem


def _address(settings: Settings) -> str:
    # The client would look at the same variable by itself; here its value gets into the cache key too.
    return settings.base_url or os.environ.get("OPENAI_BASE_URL") or _USUAL
