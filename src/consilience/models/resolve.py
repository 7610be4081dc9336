"""From what a user writes as `model=` to an endpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from consilience.core.errors import BadConfiguration, ModelUnavailable
from consilience.core.settings import Settings
from consilience.core.weights import Progress
from consilience.models.clients import Absent, Given, OpenAIProtocol
from consilience.models.conversing import conversing
from consilience.models.endpoint import Endpoint
from consilience.models.retrying import Patience

__all__ = ["DEFAULT_EMBEDDED", "ModelLike", "resolve"]

ModelLike: TypeAlias = str | Runnable[Any, Any] | Endpoint
"""`embedded`, `embedded:NAME`, a base URL (`http://host:8000/v1`, with `#model` for one of several), any
`init_chat_model` string (`openai:...`, `anthropic:...`, `ollama:...`), a LangChain model, a Runnable from messages to
words or to a message, an agent or graph whose state has `messages`, an Endpoint."""

DEFAULT_EMBEDDED = "qwen2.5-coder-1.5b"


def resolve(
    model: ModelLike | None = None,
    settings: Settings | None = None,
    *,
    fallbacks: Sequence[ModelLike] | None = None,
    on_download: Callable[[Progress], None] | None = None,
    offline: bool = False,
) -> Endpoint:
    """The endpoint for `model`, or for the settings' model when None. Connects to nothing yet.

    Args:
        model: see `ModelLike`; an Endpoint is taken as it is.
        settings: None: from the environment.
        fallbacks: where a call is made that failed for good on `model`; None: the settings'.
        on_download: told how the pulling of weights goes.
        offline: it is only to stand for the model, as where a run is replayed: no client is made, no key is needed.

    Raises:
        BadConfiguration: the string names no provider that can be made out, or a key is missing.
        MissingExtra: the provider's package is not installed.
    """
    settings = settings or Settings()
    chosen = settings.model if model is None else model
    if fallbacks is None:
        fallbacks = () if isinstance(chosen, Endpoint) else settings.fallbacks
    others = [_traced(other, settings, on_download, offline) for other in fallbacks if other != chosen]
    endpoint = _traced(chosen, settings, on_download, offline)
    return endpoint.with_fallbacks(*others) if others else endpoint


def _traced(
    chosen: ModelLike, settings: Settings, on_download: Callable[[Progress], None] | None, offline: bool
) -> Endpoint:
    """The endpoint without fallbacks; one that the caller made keeps what it puts into spans."""
    endpoint = _alone(chosen, settings, on_download, offline)
    if not isinstance(chosen, Endpoint):
        endpoint.trace_content = settings.trace_content
    return endpoint


def _alone(
    chosen: ModelLike, settings: Settings, on_download: Callable[[Progress], None] | None, offline: bool
) -> Endpoint:
    if isinstance(chosen, Endpoint):
        return chosen
    if isinstance(chosen, Runnable):
        return _of_runnable(chosen, settings)
    if chosen == "embedded" or chosen.startswith("embedded:"):
        return _embedded(chosen.partition(":")[2] or DEFAULT_EMBEDDED, settings, on_download)
    if chosen.startswith(("http://", "https://")):
        url, _, name = chosen.partition("#")
        return _compatible(url, name, settings)
    if settings.base_url and ":" not in chosen:
        return _compatible(settings.base_url, chosen, settings)
    return _of_provider(chosen, settings, offline)


def _embedded(name: str, settings: Settings, on_download: Callable[[Progress], None] | None) -> Endpoint:
    def parameters() -> dict[str, Any]:
        from consilience.models.embedded import attach

        server = attach(name, settings, on_download=on_download)
        return {
            "model": server.model,
            "base_url": server.base_url,
            "api_key": server.api_key,
            "timeout": settings.request_seconds,
            "temperature": 0.0,
        }

    return Endpoint(
        f"embedded:{name}",
        OpenAIProtocol(parameters, extra="embedded", purpose="The embedded model"),
        provider="embedded",
        method="json_schema",
        tells_alternatives=True,
        # One slot: a second call would push the first one's prefix out of the cache.
        concurrency=1,
        patience=_patience(settings, at_most=1),
    )


def _compatible(url: str, name: str, settings: Settings) -> Endpoint:
    key = settings.api_key.get_secret_value() if settings.api_key else os.environ.get("OPENAI_API_KEY", "none")

    def parameters() -> dict[str, Any]:
        return {
            "model": name or _first_model(url, key),
            "base_url": url,
            "api_key": key,
            "timeout": settings.request_seconds,
        }

    return Endpoint(
        f"{url}#{name}" if name else url,
        OpenAIProtocol(parameters),
        provider="openai-compatible",
        method="json_schema",
        concurrency=settings.concurrency,
        patience=Patience.of(settings),
    )


def _first_model(url: str, key: str) -> str:
    """The first model that the endpoint lists: with one model served, nobody should have to name it."""
    import openai

    with openai.OpenAI(base_url=url, api_key=key, timeout=30, max_retries=0) as client:
        try:
            served = client.models.list().data
        # The client takes a web page for text, and trips over it.
        except (AttributeError, ValueError) as problem:
            raise ModelUnavailable(
                url, "it does not list its models.", cure="Is the base URL right, /v1 included?"
            ) from problem
    if not served:
        raise ModelUnavailable(url, "it serves no model.", cure="Name one: BASE_URL#MODEL.")
    return str(served[0].id)


def _of_provider(name: str, settings: Settings, offline: bool) -> Endpoint:
    provider, _, model = name.partition(":")
    if provider == "openai" and model:

        def parameters() -> dict[str, Any]:
            return {"model": model, "timeout": settings.request_seconds}

        if not offline:
            _require_key(name, "OPENAI_API_KEY")
        return Endpoint(
            name,
            OpenAIProtocol(parameters),
            provider="openai",
            method="json_schema",
            concurrency=settings.concurrency,
            patience=Patience.of(settings),
        )
    return Endpoint(
        name,
        Absent(name) if offline else Given(_made(name)),
        provider=provider,
        concurrency=settings.concurrency,
        patience=Patience.of(settings),
    )


def _made(name: str) -> BaseChatModel:
    """The provider's own client, which asks for its key here."""
    from langchain.chat_models import init_chat_model

    try:
        # Retries are the endpoint's.
        return init_chat_model(name, max_retries=0)
    except ImportError as problem:
        raise BadConfiguration(f"The model {name!r} needs another package.", cure=str(problem)) from problem
    # Each provider's constructor has its own way of saying that a key is missing.
    except Exception as problem:
        first_line = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise BadConfiguration(
            f"The model {name!r} cannot be set up: {first_line}",
            cure="Use embedded, http://host/v1, or PROVIDER:MODEL such as openai:gpt-5.",
        ) from problem


def _require_key(name: str, variable: str) -> None:
    if not os.environ.get(variable):
        raise BadConfiguration(f"The model {name!r} needs a key.", cure=f"Set {variable}.")


def _of_runnable(runnable: Runnable[Any, Any], settings: Settings) -> Endpoint:
    # A model that the caller made repeats as the caller set it; what a chain does may not be repeatable.
    patience = _patience(settings, at_most=0)
    if not isinstance(runnable, BaseChatModel):
        name = runnable.get_name()
        return Endpoint(
            name, Given(conversing(runnable)), method="text", concurrency=settings.concurrency, patience=patience
        )
    speaks_openai = runnable._llm_type == "openai-chat"
    return Endpoint(
        str(getattr(runnable, "model_name", None) or getattr(runnable, "model", None) or runnable.get_name()),
        Given(runnable),
        provider="openai" if speaks_openai else runnable._llm_type,
        method="json_schema" if speaks_openai else "native",
        concurrency=settings.concurrency,
        patience=patience,
    )


def _patience(settings: Settings, *, at_most: int) -> Patience:
    patience = Patience.of(settings)
    return replace(patience, retries=min(at_most, patience.retries))
