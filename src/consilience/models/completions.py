"""Chat completions through the `openai` client, without what it does to requests and replies that are plain JSON.

ChatOpenAI gives the client a body of plain JSON, which the client goes through key by key against its types; and it
takes apart again what the client makes of the reply: 4,200 function calls a request. The client's `post` does neither,
and keeps all else: connections, authentication, errors.
"""

from __future__ import annotations

from typing import Any

__all__ = ["PlainCompletions"]

_OF_THE_REQUEST = {
    "extra_headers": "headers",
    "extra_query": "params",
    "extra_body": "extra_json",
    "timeout": "timeout",
}
"""What is said beside the body: as `create` and as `post` call it."""


class PlainCompletions:
    """Stands in ChatOpenAI for `AsyncOpenAI.chat.completions`; replies that come whole are plain JSON.

    Args:
        client: an `AsyncOpenAI`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def with_raw_response(self) -> _Raw:
        """What ChatOpenAI asks for replies that come whole."""
        return _Raw(self._client)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client.chat.completions, name)


class _Raw:
    def __init__(self, client: Any) -> None:
        self._client = client

    async def create(self, **payload: Any) -> Any:
        """The reply as it came; of a stream, what the client makes of it."""
        if payload.get("stream"):
            return await self._client.chat.completions.with_raw_response.create(**payload)
        body = {key: value for key, value in payload.items() if key not in _OF_THE_REQUEST}
        options = {name: payload[key] for key, name in _OF_THE_REQUEST.items() if payload.get(key) is not None}
        options["security"] = {"bearer_auth": True}
        options["headers"] = {**options.get("headers", {}), "X-Stainless-Raw-Response": "true"}
        return _Reply(await self._client.post("/chat/completions", body=body, options=options, cast_to=object))


class _Reply:
    """A reply with its headers; read as the client reads it, JSON whatever its type is said to be."""

    def __init__(self, raw: Any) -> None:
        self.http_response = raw.http_response
        self.headers = raw.headers

    def parse(self) -> Any:
        """The JSON; a body that is none and does not say so is given as text."""
        try:
            return self.http_response.json()
        except ValueError:
            if self.headers.get("content-type", "*").partition(";")[0].endswith("json"):
                raise
            return self.http_response.text
