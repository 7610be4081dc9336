"""A model hub: files of repositories over HTTP, resumed where a connection broke."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.parse import quote

from consilience.core.errors import BadConfiguration
from consilience.core.manifest import Piece
from consilience.core.weights_source import Arrived, SourceFailed, on_disk

__all__ = ["HubSource"]

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_CHUNK = 1 << 20


class HubSource:
    """Serves `{hub}/{repository}/resolve/{revision}/{path}`.

    A hub that once could not be reached is not tried again: behind many firewalls each try costs a time-out.
    """

    def __init__(self, hub: str) -> None:
        if not hub.startswith(("http://", "https://")):
            raise BadConfiguration(f"The hub {hub!r} is no HTTP address.", cure="Set CONSILIENCE_HUB to https://...")
        self._hub = hub.rstrip("/")
        self._opener = urllib.request.build_opener(_PlainHandler, _SecureHandler)
        self._unreachable = ""

    def fetch(self, pieces: Sequence[Piece], folder: Path, arrived: Arrived) -> None:
        """Downloads the files one after the other; see `Source.fetch`."""
        for piece in pieces:
            with (folder / self._file(piece)).open("ab") as file:
                arrived(file.tell())
                self._complete(piece, file, arrived)

    def open(self, piece: Piece, folder: Path) -> IO[bytes]:
        """The downloaded file; see `Source.open`."""
        return (folder / self._file(piece)).open("rb")

    def read(self, path: str, most: int) -> bytes:
        """What the hub answers at `path`, at most so many bytes of it.

        Raises:
            SourceFailed: it could not be reached, refused, or has more to say.
        """
        with self._request(f"{self._hub}/{path}", {}) as answer:
            content = b""
            while len(content) <= most and (chunk := _read(answer, most + 1 - len(content))):
                content += chunk
        if len(content) > most:
            raise SourceFailed(f"{self._hub}/{path}: more than {most} bytes")
        return content

    def _file(self, piece: Piece) -> str:
        return on_disk(piece.package, piece.version, piece.member)

    def _complete(self, piece: Piece, file: IO[bytes], arrived: Arrived) -> None:
        end = piece.start + piece.size
        while (here := file.tell()) < end:
            self._receive(piece, file, end, arrived)
            if file.tell() <= here:
                raise SourceFailed(f"{self._url(piece)}: the connection broke after {here} of {end} bytes")

    def _receive(self, piece: Piece, file: IO[bytes], end: int, arrived: Arrived) -> None:
        """Appends what one request brings: all, or the part before the connection broke."""
        here = file.tell()
        with self._ask(piece, file, arrived) as answer:
            total = _announced(answer)
            if total is not None and total < end:
                _forget(file, arrived)
                raise SourceFailed(f"{self._url(piece)}: {total} bytes were announced, {end} were promised")
            if here and answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                _forget(file, arrived)
            while chunk := _read(answer, min(_CHUNK, end - file.tell())):
                file.write(chunk)
                arrived(len(chunk))

    def _ask(self, piece: Piece, file: IO[bytes], arrived: Arrived) -> http.client.HTTPResponse:
        here = file.tell()
        try:
            return self._request(self._url(piece), {"Range": f"bytes={here}-"} if here else {})
        except _Refused as refusal:
            if refusal.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                _forget(file, arrived)  # it is no beginning of the hub's file
            raise

    def _request(self, url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        if self._unreachable:
            raise SourceFailed(f"not tried again after: {self._unreachable}")
        request = urllib.request.Request(url, headers={"User-Agent": "consilience"} | headers)
        try:
            answer: http.client.HTTPResponse = self._opener.open(request, timeout=_CONNECT_SECONDS)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise _Refused(refusal.code, f"{refusal.url} answered {refusal.code} {refusal.reason}") from None
        except (OSError, http.client.HTTPException) as problem:
            reason = getattr(problem, "reason", problem)
            self._unreachable = f"{self._hub} could not be reached ({reason})"
            raise SourceFailed(self._unreachable) from problem
        return answer

    def _url(self, piece: Piece) -> str:
        return f"{self._hub}/{quote(piece.package)}/resolve/{quote(piece.version, safe='')}/{quote(piece.member)}"


class _Refused(SourceFailed):
    """The hub answered that it will not."""

    def __init__(self, code: int, problem: str) -> None:
        self.code = code
        super().__init__(problem)


def _announced(answer: http.client.HTTPResponse) -> int | None:
    """Size of the whole file, if the answer tells."""
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        told = answer.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        told = answer.headers.get("Content-Length", "")
    return int(told) if told.isdecimal() else None


def _read(answer: http.client.HTTPResponse, size: int) -> bytes:
    try:
        return answer.read1(size)
    except (OSError, http.client.HTTPException):
        return b""  # a broken connection ends like a finished one: the caller counts, and asks for the rest


def _forget(file: IO[bytes], arrived: Arrived) -> None:
    arrived(-file.tell())
    file.truncate(0)
    file.seek(0)


class _Patient:
    """Connecting may take a little while only; an answer may take longer."""

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # of the connection class that it is mixed into
        self.sock.settimeout(_READ_SECONDS)  # type: ignore[attr-defined]


class _PlainConnection(_Patient, http.client.HTTPConnection):
    pass


class _SecureConnection(_Patient, http.client.HTTPSConnection):
    pass


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PlainConnection, req)


class _SecureHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req)
