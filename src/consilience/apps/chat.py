"""The chat demo: drop media in, ask, watch perception and debate, check the answer against its evidence.

It is thin: the events of `astream` become messages in `consilience.apps.chat_steps`. Nothing is fetched from the
internet, and nothing is sent there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from consilience.apps.chat_steps import Message, Steps
from consilience.core.errors import BadConfiguration, ConsilienceError, MissingExtra
from consilience.core.settings import Settings
from consilience.core.telemetry import report_nothing
from consilience.graphs import Asked, AskOptions, DebateGraph, Finished, Started, astream
from consilience.observations import Media, ObservationStore

__all__ = ["Conversation", "build", "load_graph", "serve"]

_ACCEPTED = [
    *("image", "audio", "video"),
    *(".pdf", ".docx", ".pptx", ".html", ".htm", ".eml"),
    *(".txt", ".md", ".vtt", ".srt", ".rttm", ".json"),
    *(".csv", ".tsv", ".xlsx", ".parquet"),
]


@dataclass
class Conversation:
    """What a follow-up question goes on from: the media of the record, and what was asked before."""

    media: list[Media] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


def serve(graph: str | None, *, host: str, port: int, model: str | None) -> None:
    """Serves the demo until it is interrupted.

    Raises:
        MissingExtra: Gradio is not installed.
        BadConfiguration: the graph cannot be found.
    """
    demo = build(load_graph(graph) if graph else None, model=model)
    demo.queue().launch(
        server_name=host,
        server_port=port or None,
        share=False,
        theme=_theme(),
        css=".evidence img{border-radius:6px}",
    )


def load_graph(name: str) -> DebateGraph:
    """The compiled graph at `package.module:name`.

    Raises:
        BadConfiguration: there is no such module or name.
    """
    module, _, attribute = name.partition(":")
    try:
        graph: DebateGraph = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as problem:
        raise BadConfiguration(
            f"There is no graph at {name!r} ({problem}).", cure="Name it as package.module:graph."
        ) from problem
    return graph


def build(graph: DebateGraph | None = None, *, model: str | None = None, settings: Settings | None = None) -> Any:
    """The demo as a Gradio `Blocks`, not yet served."""
    gr = _gradio()
    settings = settings or Settings()
    store = ObservationStore.open(settings)

    async def answer(
        message: dict[str, Any], history: list[Message], conversation: Conversation | None
    ) -> AsyncGenerator[tuple[list[Any], Conversation], None]:
        conversation = conversation or Conversation()
        steps = Steps(store)
        question = (message.get("text") or "").strip()
        sources = [*conversation.media, *(_path_of(file) for file in message.get("files") or [])]
        if not question or not sources:
            steps.fail("Ask a question, and add at least one picture, recording or text.")
            yield _shown(gr, steps), conversation
            return
        # The demo is there to watch experts talk, whatever is the default.
        options: AskOptions = {"settings": settings, "earlier": conversation.asked, "protocol": "debate"}
        if graph is not None:
            options["graph"] = graph
        if model:
            options["model"] = model
        try:
            async with aclosing(astream(question, sources, **options)) as events:
                async for event in events:
                    steps.tell(event)
                    if isinstance(event, Started):
                        conversation.media = list(event.media)
                    if isinstance(event, Finished):
                        conversation.asked.append(Asked.of(event.verdict))
                    yield _shown(gr, steps), conversation
        except ConsilienceError:
            pass  # it has been told as an event

    with gr.Blocks(title="consilience") as demo:
        kept = gr.State(None)
        gr.Markdown("## consilience\nIndependent lines of evidence that converge on one conclusion.")
        gr.ChatInterface(
            answer,
            multimodal=True,
            chatbot=gr.Chatbot(
                height="72vh", show_label=False, buttons=["copy"], placeholder="Add media, then ask about them."
            ),
            textbox=gr.MultimodalTextbox(
                file_count="multiple",
                file_types=_ACCEPTED,
                sources=["upload", "microphone"],
                placeholder="Ask about pictures, recordings, films, documents, tables and texts",
            ),
            additional_inputs=[kept],
            additional_outputs=[kept],
            api_name="chat",
        )
    return demo


def _path_of(file: Any) -> Any:
    from pathlib import Path

    return Path(file["path"] if isinstance(file, dict) else file)


def _shown(gr: Any, steps: Steps) -> list[Any]:
    """The messages with their HTML as components."""
    return [
        {**message, "content": gr.HTML(message["content"]["html"])} if isinstance(message["content"], dict) else message
        for message in steps.messages
    ]


def _gradio() -> Any:
    report_nothing()
    try:
        import gradio
    except ImportError as problem:
        raise MissingExtra("gradio", "chat", "The chat demo") from problem
    return gradio


def _theme() -> Any:
    # The ready themes name web fonts; this one stays on the machine.
    fonts = ["system-ui", "sans-serif"]
    return _gradio().themes.Soft(font=fonts, font_mono=["ui-monospace", "monospace"])
