"""OpenTelemetry spans, where the process traces; where it does not, next to nothing.

Names follow the GenAI semantic conventions (open-telemetry/semantic-conventions-genai; the constants of
`opentelemetry-semantic-conventions` 0.66), which are still in development: they are plain strings here, so that only
`opentelemetry-api` is needed, and that only by a process that traces.

Spans hold names, counts and times. What people and models said is the content of a trace, and media are never part of
it: `Settings.trace_content` decides on the first, and nothing turns on the second.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from consilience.core.errors import MissingExtra

__all__ = ["OFF", "Tracing", "exported_by_environment", "span"]

_SCOPE = "consilience"
_WANTED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Tracing(Protocol):
    """A span that is under way."""

    @property
    def on(self) -> bool:
        """It is recorded: what is dear to work out is worth noting."""
        ...

    def note(self, attributes: Mapping[str, Any]) -> None:
        """Adds attributes; those that are None are left out."""
        ...

    def fail(self, kind: str, told: str | None = None) -> None:
        """Gives it the status of an error.

        Args:
            kind: one of few, for `error.type`.
            told: a description, only where content may be traced.
        """
        ...


class _Off:
    on = False

    def note(self, attributes: Mapping[str, Any]) -> None: ...

    def fail(self, kind: str, told: str | None = None) -> None: ...


class _Recorded:
    on = True

    def __init__(self, recorded: Any) -> None:
        self._span = recorded

    def note(self, attributes: Mapping[str, Any]) -> None:
        self._span.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def fail(self, kind: str, told: str | None = None) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR, told))


OFF: Tracing = _Off()
"""The span of a process that does not trace."""


@contextmanager
def span(
    name: str,
    attributes: Callable[[], Mapping[str, Any]] | None = None,
    *,
    kind: Literal["internal", "client"] = "internal",
    harmless: tuple[type[BaseException], ...] = (),
) -> Iterator[Tracing]:
    """A span around a block, below the one that is current; an error that leaves the block becomes its status.

    Of an error only its kind is noted, since its words may quote what was said.

    Args:
        name: of the span.
        attributes: those known beforehand; worked out only where the span is recorded.
        kind: `client` for a request to another process.
        harmless: errors that are none, such as an interrupt.
    """
    # Who traces has imported the API, for nothing else can set a provider.
    api = sys.modules.get("opentelemetry.trace")
    recorded = None if api is None else _started(api, name, kind)
    if recorded is None:
        yield OFF
        return
    traced = _Recorded(recorded)
    with api.use_span(recorded, end_on_exit=True, record_exception=False, set_status_on_exception=False):  # type: ignore[union-attr]
        if attributes is not None:
            traced.note(attributes())
        try:
            yield traced
        except harmless:
            raise
        except BaseException as problem:
            traced.fail(str(getattr(problem, "kind", None) or type(problem).__name__))
            raise


def _started(api: Any, name: str, kind: str) -> Any:
    """A recorded span; None where nothing records, or this trace is not sampled."""
    started = api.get_tracer(_SCOPE).start_span(name, kind=getattr(api.SpanKind, kind.upper()))
    return started if started.is_recording() else None


@contextmanager
def exported_by_environment() -> Iterator[None]:
    """Sends the spans of a block to where OpenTelemetry's own environment variables say, all of them before its end.

    It does nothing where they name no endpoint, or the process has set up its tracing itself.

    Raises:
        MissingExtra: an endpoint is named, and the SDK or its exporter is not installed.
    """
    named = any(os.environ.get(variable) for variable in _WANTED)
    if not named or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as problem:
        raise MissingExtra("opentelemetry.sdk", "tracing", "Sending traces") from problem
    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield
        return
    named_here = Resource({SERVICE_NAME: _SCOPE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=Resource.create().merge(named_here))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
