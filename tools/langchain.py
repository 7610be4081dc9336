"""Encoders as LangChain tools, for any agent: the content is what a model reads, the artifact the observations."""

from __future__ import annotations

import asyncio
from typing import Any

from consilience.tools.bounds import refused
from consilience.tools.encoder import Encoder
from consilience.tools.runner import Encoding, Runner
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import Field, ValidationError, create_model

from consilience.core.background import run_blocking
from consilience.core.counted import counted
from consilience.core.errors import BadMedia, ConsilienceError
from consilience.core.settings import Settings
from consilience.observations import Locator, Media, Observation, ObservationStore, Record

__all__ = ["check_fits", "describe", "encoder_tool", "tool_name"]

_TOKENS = 4000


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
            check_fits(encoder, medium)
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


def check_fits(encoder: Encoder, media: Media) -> None:
    """Returns where the encoder may read the medium: as what it is, or as a frame, a page or the sound of it.

    Raises:
        BadMedia: it may not.
    """
    if encoder.reads(media.modality, media.mime):
        return
    if media.modality not in ("video", "document") or media.modality == encoder.modality:
        types = f" ({', '.join(encoder.mimes)})" if encoder.mimes else ""
        raise BadMedia(
            media.name,
            f"is {media.modality} ({media.mime}).",
            cure=f"{encoder.name} reads {encoder.modality}{types}.",
        )


def describe(encoding: Encoding) -> str:
    """The observations as a model reads them: with their places, quoted as data, and no longer than a prompt bears."""
    record = Record([encoding.media], encoding.observations)
    told = record.render(tokens=_TOKENS).text
    return told or f"{counted(len(record), 'observation')} of {encoding.encoder}, for machines only."
