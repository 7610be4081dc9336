"""Where traces go by environment variables alone: OTLP as Phoenix and others take it, and LangSmith's own protocol."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from consilience.testing import ModelServer, witness

NOTE = "The book club meets in the upper room."
QUESTION = "Where does the book club meet?"


class Collector:
    """Takes whatever is sent to it."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                chunked = self.headers.get("Transfer-Encoding") == "chunked"
                body = self._chunks() if chunked else self.rfile.read(int(self.headers.get("Content-Length", 0)))
                received.append((self.path, dict(self.headers), body))
                self._answer(b"")

            def do_GET(self) -> None:
                self._answer(b"{}")

            def _chunks(self) -> bytes:
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text(NOTE)
    return path


def asked(note: Path, tmp_path: Path, server: ModelServer, **variables: str) -> str:
    """What `consilience ask` writes with these variables set, and no others that say where traces go."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "LANGSMITH_", "LANGCHAIN_"))}
    cache = {"CONSILIENCE_CACHE_DIR": str(tmp_path / "cache")}
    arguments = [sys.executable, "-m", "consilience.apps.cli", "ask", QUESTION, str(note), "--model", server.base_url]
    ran = subprocess.run(
        arguments, env=clean | cache | variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_spans_go_to_an_otlp_endpoint(collector: Collector, note: Path, tmp_path: Path) -> None:
    with ModelServer(witness) as server:
        asked(
            *(note, tmp_path, server),
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20key",
            OTEL_RESOURCE_ATTRIBUTES="openinference.project.name=clubs",
        )
    names: set[str] = set()
    for path, headers, body in collector.received:
        assert path == "/v1/traces"
        assert headers["authorization"] == "Bearer key"
        assert NOTE.encode() not in body
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        (of_process,) = request.resource_spans
        told = {attribute.key: attribute.value.string_value for attribute in of_process.resource.attributes}
        assert told["service.name"] == "consilience"
        assert told["openinference.project.name"] == "clubs"
        names |= {span.name.split()[0] for scope in of_process.scope_spans for span in scope.spans}
    assert {"invoke_workflow", "invoke_agent", "chat", "execute_tool", "compose"} <= names


def test_without_an_endpoint_nothing_of_opentelemetry_is_set_up() -> None:
    code = (
        "import sys; from consilience.core.tracing import exported_by_environment, span\n"
        "with exported_by_environment(), span('a') as traced:\n"
        "    print(traced.on, *[name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    ran = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False"]


def test_langsmith_gets_the_run_by_its_own_variables_and_no_bytes(
    collector: Collector, note: Path, tmp_path: Path
) -> None:
    with ModelServer(witness) as server:
        asked(
            *(note, tmp_path, server),
            LANGSMITH_TRACING="true",
            LANGSMITH_ENDPOINT=collector.url,
            LANGSMITH_API_KEY="key",
            LANGSMITH_HIDE_INPUTS="true",
            LANGSMITH_HIDE_OUTPUTS="true",
        )
    sent = [(path, headers) for path, headers, _ in collector.received]
    assert sent, "nothing was sent"
    assert {path for path, _ in sent} <= {"/runs/multipart", "/runs/batch", "/runs"}
    assert all({name.lower(): value for name, value in headers.items()}["x-api-key"] == "key" for _, headers in sent)
