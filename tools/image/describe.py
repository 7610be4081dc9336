"""Scene descriptions by a vision chat model, when the user has configured one."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.remote import asking, remote_name

from consilience.core.errors import ModelUnavailable
from consilience.core.settings import Settings
from consilience.observations import Observation
from consilience.observations.locator import one_line

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["describe"]

_ASKED = "Describe what this picture shows, in at most three plain sentences. Quote readable text. Guess nothing."
_LONGEST_SIDE, _SHORTEST_SIDE = 1024, 32


@encoder(
    modality="image",
    kinds=("description",),
    version="1",
    cost="remote",
    extra="openai",
    model_name=lambda settings: remote_name(settings.vision_model, settings),
    deterministic=False,
)
def describe(excerpt: Excerpt) -> Iterator[Observation]:
    """Describes a picture in words, by a vision chat model."""
    told = _ask(_as_url(excerpt.image()), excerpt.settings)
    yield excerpt.observe("description", {"text": told}, told)


def _as_url(picture: Image.Image) -> str:
    """The picture inside a URL, scaled down to what vision models look at, and up to what they accept."""
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    if min(picture.size) < _SHORTEST_SIDE:
        picture = picture.resize((max(picture.width, _SHORTEST_SIDE), max(picture.height, _SHORTEST_SIDE)))
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _ask(url: str, settings: Settings) -> str:
    """What the model says it sees.

    Raises:
        ModelUnavailable: it cannot be reached, answers with an error or not in time, or says nothing.
    """
    model = settings.vision_model or ""
    with asking(model, settings, "Asking a vision model") as client:
        reply = client.chat.completions.create(
            model=model,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": _ASKED},
                        {"type": "image_url", "image_url": {"url": url}},
                    ],
                }
            ],
        )
    said = [choice.message.content or "" for choice in reply.choices or ()]
    if told := one_line(said[0] if said else ""):
        return told
    raise ModelUnavailable(model, "it described nothing.", cure="Check that it is a vision model, or ask again.")
