"""Encoders as LangChain tools, for any agent: the content is what a model reads, the artifact the observations."""

from __future__ import annotations

from typing import Any

from consilience.tools.encoder import Encoder
from consilience.tools.runner import Runner
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import Field, create_model

from consilience.core.settings import Settings
from consilience.observations import Locator, Observation, ObservationStore

__all__ = ["encoder_tool"]


def encoder_tool(encoder: Encoder, store: ObservationStore, settings: Settings) -> BaseTool:
    """A tool that runs `encoder` over a medium of `store`.

    A model names media by id, never by path: it can only reach what the caller has put into the store.
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
        encoding = await runner.encode(store.media(media), encoder, parameters=parameters, where=place)
        if encoding.failure:
            raise ToolException(encoding.failure)
        told = "\n".join(observation.text for observation in encoding.observations)
        return told or "nothing observed", list(encoding.observations)

    def observe_blocking(**arguments: Any) -> tuple[str, list[Observation]]:
        import asyncio

        return asyncio.run(observe(**arguments))

    return StructuredTool.from_function(
        name=encoder.name.replace(".", "_"),
        description=encoder.summary or f"Observes {', '.join(encoder.kinds)} in {encoder.modality}.",
        func=observe_blocking,
        coroutine=observe,
        args_schema=arguments,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )
