"""Encoders as LangChain tools, for any agent: the content is what a model reads, the artifact the observations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from consilience.tools.bounds import refused
from consilience.tools.encoder import Encoder
from consilience.tools.runner import Encoding, Runner
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import Field, ValidationError, create_model

from consilience.core.background import run_blocking
from consilience.core.errors import BadMedia, ConsilienceError
from consilience.core.settings import Settings
from consilience.observations import Locator, Media, Observation, ObservationStore, Record

__all__ = ["check_fits", "describe", "encoder_tool", "tool_name"]

_TOKENS = 4000
# Texts that run in time.
_TIMED = frozenset({"text/vtt", "application/x-subrip", "text/x-rttm"})


def encoder_tool(encoder: Encoder, store: ObservationStore, settings: Settings) -> BaseTool:
    """A tool that runs `encoder` over a medium of `store`.

    A model names media by id, never by path: it can only reach what the caller has put into the store. Whatever goes
    wrong is told to the model, with the cure, as the tool's answer.
    """
    runner = Runner(store, [encoder], settings=settings)
    arguments = create_model(
        f"{encoder.parameters.__name__}OnMedia",
        __base__=encoder.parameters,
        media=(str, Field(description="Id of a medium in the store, `sha256:...`.")),
        where=(str, Field("", description="Part of it, as a W3C media fragment such as `t=1.5,4`; empty: all of it.")),
    )

    async def observe(media: str, where: str = "", **parameters: Any) -> tuple[str, list[Observation]]:
        try:
            place = Locator.from_fragment(where)
        except ValueError as problem:
            raise ToolException(f"{where!r} is no place in a medium: {problem}") from problem
        try:
            medium = await asyncio.to_thread(store.media, media)
            check_fits(encoder, medium, place)
            encoding = await runner.encode(medium, encoder, parameters=parameters, where=place)
        except ConsilienceError as problem:
            raise ToolException(str(problem)) from problem
        if encoding.failure:
            raise ToolException(encoding.failure)
        return describe(encoding), list(encoding.observations)

    def observe_blocking(**arguments: Any) -> tuple[str, list[Observation]]:
        return run_blocking(observe(**arguments))

    def wrong(problem: ValidationError) -> str:
        return str(refused(encoder.name, arguments, problem))

    return StructuredTool.from_function(
        name=tool_name(encoder),
        description=encoder.summary or f"Observes {', '.join(encoder.kinds)} in {encoder.modality}.",
        func=observe_blocking,
        coroutine=observe,
        args_schema=arguments,
        response_format="content_and_artifact",
        handle_tool_error=True,
        handle_validation_error=wrong,
    )


def tool_name(encoder: Encoder) -> str:
    """The encoder's name in the letters that the APIs of language models allow."""
    return encoder.name.replace(".", "_")


def check_fits(encoder: Encoder, media: Media, where: Locator) -> None:
    """Returns where the encoder may read this part of the medium: as what it is, or as a frame, a page or the sound.

    Raises:
        BadMedia: it may not, or the medium has no such part: what is observed there would stand in a wrong place.
    """
    if lacking := next(_lacking(media, where), None):
        raise BadMedia(media.name, f"has no {lacking}.", cure="Leave the place empty for all of it.")
    if encoder.reads(media.modality, media.mime):
        return
    if media.modality not in ("video", "document") or media.modality == encoder.modality:
        types = f" ({', '.join(encoder.mimes)})" if encoder.mimes else ""
        raise BadMedia(
            media.name,
            f"is {media.modality} ({media.mime}).",
            cure=f"{encoder.name} reads {encoder.modality}{types}.",
        )


def _lacking(media: Media, where: Locator) -> Iterator[str]:
    """What the place names and the medium does not have."""
    if where.time and media.modality not in ("audio", "video") and media.mime not in _TIMED:
        yield "times"
    if where.region and media.modality not in ("image", "video", "document"):
        yield "regions"
    # Who reads old workbooks counts their sheets.
    uncounted = media.modality == "table" and media.pages is None
    if where.page is not None and not uncounted and where.page > (media.pages or 0):
        yield f"page {where.page}"
    if where.chars and where.chars.start >= (media.characters or 0):
        yield f"character {where.chars.start}"
    if where.cell and media.modality not in ("table", "document"):
        yield "cells"


def describe(encoding: Encoding) -> str:
    """The observations as a model reads them: with their places, quoted as data, and no longer than a prompt bears."""
    record = Record([encoding.media], encoding.observations)
    told = record.render(tokens=_TOKENS).text
    return told or f"{len(record)} observations of {encoding.encoder}, for machines only."
