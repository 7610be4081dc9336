"""Scene descriptions by a vision chat model, when the user has configured one."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace

from consilience.tools.encoder import Encoder, encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import MissingExtra, ModelUnavailable
from consilience.core.settings import Settings
from consilience.observations import Observation

__all__ = ["describe_encoder"]

_ASKED = "Describe what this picture shows, in at most three plain sentences. Quote readable text. Guess nothing."
_LONGEST_SIDE = 1024


def describe_encoder(settings: Settings) -> Encoder:
    """The encoder that asks `settings.vision_model`; the model's name is part of its cache key."""
    return replace(_describe, version=f"1+{settings.vision_model}")


@encoder(modality="image", kinds=("description",), version="1", cost="remote", extra="openai", name="image.describe")
def _describe(excerpt: Excerpt) -> Iterator[Observation]:
    """Describes a picture in words, by a vision chat model."""
    try:
        import openai
    except ImportError as problem:
        raise MissingExtra("openai", "openai", "Asking a vision model") from problem
    settings = excerpt.settings
    picture = excerpt.image()
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=90)
    url = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    key = settings.api_key.get_secret_value() if settings.api_key else None
    model = settings.vision_model or ""
    try:
        with openai.OpenAI(base_url=settings.base_url, api_key=key, timeout=settings.request_seconds) as client:
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
    except openai.OpenAIError as problem:
        raise ModelUnavailable(model, f"{type(problem).__name__}.", cure="Check base URL, key and model.") from problem
    told = (reply.choices[0].message.content or "").strip()
    if not told:
        raise ModelUnavailable(model, "it described nothing.")
    yield excerpt.observe("description", {"text": told}, told)
