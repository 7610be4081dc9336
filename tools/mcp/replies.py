"""From the reply of an MCP server's tool to observations. A reply is untrusted data: checked, bounded, in one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from consilience.tools.excerpt import Excerpt
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from consilience.core.errors import BadReply, ConsilienceError, Unobservable
from consilience.observations import Confidence, Locator, Observation, Unobserved
from consilience.observations.kinds import VALUES
from consilience.observations.locator import one_line

__all__ = ["Reply", "observations_of", "reply_of"]

_MOST_CHARACTERS, _MOST_OBSERVATIONS, _LONGEST_TEXT = 4_000_000, 2000, 4000
_TOLD = 300


@dataclass(frozen=True)
class Reply:
    """What a tool answered, without bytes."""

    tool: str
    structured: JsonValue = None
    """Its structured content; None when there is none."""
    texts: tuple[str, ...] = ()
    """Its text content, embedded text resources included."""
    aside: tuple[str, ...] = ()
    """Pictures, sound and links among the content, in words: nobody looks into them."""


class _Told(BaseModel):
    """One observation as a tool may tell it; places are in what the tool was handed."""

    model_config = ConfigDict(extra="ignore")

    kind: str | None = None
    text: str = Field(min_length=1)
    value: dict[str, JsonValue] | None = None
    locator: Locator = Locator()
    confidence: Confidence | None = None

    @field_validator("locator", mode="before")
    @classmethod
    def _from_fragment(cls, given: Any) -> Any:
        return Locator.from_fragment(given) if isinstance(given, str) else given


def reply_of(tool: str, result: Any, linked: Iterable[str] = ()) -> Reply:
    """The reply in an `mcp_types.CallToolResult`; `linked` are texts that its links led to.

    Raises:
        BadReply: the tool reports an error, or its reply is too large.
    """
    texts, aside = [*linked], []
    for block in result.content:
        embedded = getattr(getattr(block, "resource", None), "text", None)
        if block.type == "text":
            texts.append(block.text)
        elif embedded is not None:
            texts.append(embedded)
        elif block.type == "resource_link":
            aside.append(f"a link to {one_line(str(block.uri))[:80]}")
        else:
            mime = getattr(block, "mime_type", None) or getattr(getattr(block, "resource", None), "mime_type", None)
            aside.append(f"{block.type} ({one_line(str(mime))[:40]})")
    if result.is_error:
        raise BadReply(tool, one_line(" ".join(texts))[:_TOLD] or "it reports an error without a word.")
    structured = result.structured_content
    if sum(map(len, texts)) > _MOST_CHARACTERS or _length(structured, tool) > _MOST_CHARACTERS:
        raise BadReply(tool, f"its reply has more than {_MOST_CHARACTERS:,} characters.")
    if isinstance(structured, dict) and structured.keys() == {"result"}:
        structured = structured["result"]
    return Reply(tool, structured, tuple(texts), tuple(aside))


def _length(structured: Any, tool: str) -> int:
    try:
        return len(json.dumps(structured, allow_nan=False))
    except (RecursionError, TypeError, ValueError) as problem:
        raise BadReply(tool, f"its structured content is no JSON ({problem}).") from problem


def observations_of(reply: Reply, excerpt: Excerpt, kinds: Sequence[str]) -> Iterator[Observation]:
    """The observations that a reply tells.

    Structured content comes first: an object with the list `observations`, a list, or one object; each is an
    observation (`text`, and if it likes `kind`, `value`, `locator`, `confidence`) or the value of one. Without it, a
    single text may be such JSON; else each text is an observation of the first kind.

    Raises:
        BadReply: it tells something else than was declared, too much, or nothing but pictures, sound and links.
        Unobservable: the tool tells that, or nothing at all.
    """
    items = _items(reply)
    if len(items) > _MOST_OBSERVATIONS:
        raise BadReply(reply.tool, f"it tells {len(items):,} observations; {_MOST_OBSERVATIONS:,} are the most.")
    if not items and reply.aside:
        told = f"it answered with {', '.join(reply.aside)} and no word."
        raise BadReply(reply.tool, f"{told} Pass `read` to make observations of it, or fetch_links=True for links.")
    if not items:
        raise Unobservable("the tool found nothing to tell")
    if reasons := [item["value"]["reason"] for item in items if _is_unobserved(item)]:
        if len(reasons) == len(items):
            raise Unobservable(one_line(str(reasons[0]))[:_TOLD])
        items = [item for item in items if not _is_unobserved(item)]
    for item in items:
        try:
            yield _observe(item, excerpt, kinds)
        except ConsilienceError:
            raise
        except (RecursionError, TypeError, ValueError) as problem:
            raise BadReply(reply.tool, _in_short(problem), reply=_as_text(item)) from problem


def _items(reply: Reply) -> list[Any]:
    structured: Any = (
        _parsed(reply.texts[0]) if reply.structured is None and len(reply.texts) == 1 else reply.structured
    )
    if isinstance(structured, dict) and isinstance(structured.get("observations"), list):
        return list(structured["observations"])
    if isinstance(structured, list):
        return list(structured)
    if isinstance(structured, dict) and structured:
        return [structured]
    return [text for text in reply.texts if one_line(text)]


def _parsed(text: str) -> Any:
    """A text that is a JSON object or list: so servers write that know no structured content."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (RecursionError, ValueError):
        return None


def _is_unobserved(item: Any) -> bool:
    if not (isinstance(item, dict) and item.get("kind") == "unobserved"):
        return False
    try:
        Unobserved.model_validate(item.get("value"))
    except ValidationError:
        return False
    return True


def _observe(item: Any, excerpt: Excerpt, kinds: Sequence[str]) -> Observation:
    told = _told(item, kinds[0])
    kind = told.kind or kinds[0]
    if kind not in kinds:
        raise ValueError(f"it tells an observation of kind {one_line(kind)[:40]!r}, which was not declared")
    _check_place(told.locator, excerpt)
    text = one_line(told.text)
    short = text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
    value = _value_of(kind, told.text) if told.value is None else told.value
    return excerpt.observe(kind, value, short, locator=told.locator, confidence=told.confidence)


def _told(item: Any, kind: str) -> _Told:
    if isinstance(item, dict) and isinstance(item.get("text"), str):
        return _Told.model_validate(item)
    if isinstance(item, dict):
        label = item.get("label")
        return _Told(kind=kind, text=label if isinstance(label, str) and label else _as_text(item), value=item)
    return _Told(text=item if isinstance(item, str) else json.dumps(item))


def _value_of(kind: str, text: str) -> dict[str, JsonValue]:
    """The value of an observation that is told in words alone."""
    fields = VALUES[kind].model_fields if kind in VALUES else {"text": None}
    value: dict[str, JsonValue] = {name: text for name in ("text", "label") if name in fields}
    if not value:
        raise ValueError(f"a {kind} cannot be told in words alone: structured content is wanted")
    return {**value, "language": "und"} if kind == "transcript" else value


def _check_place(where: Locator, excerpt: Excerpt) -> None:
    media, seconds = excerpt.media, excerpt.seconds
    characters = excerpt.where.chars.end - excerpt.where.chars.start if excerpt.where.chars else media.characters
    beyond = (
        (where.time and seconds is not None and where.time.end > seconds + 0.05)
        or (where.page is not None and where.page > (media.pages or 0))
        or (where.chars and characters is not None and where.chars.end > characters)
    )
    if beyond:
        raise ValueError(f"it tells of a place that is not in the medium ({where})")


def _as_text(item: Any) -> str:
    try:
        return one_line(json.dumps(item, ensure_ascii=False))[:_TOLD]
    except RecursionError:
        return "..."


def _in_short(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        first = problem.errors()[0]
        return one_line(f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}")[:_TOLD]
    return one_line(str(problem) or type(problem).__name__)[:_TOLD]
