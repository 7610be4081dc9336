"""What a call may take, told before it is made; and what one took that ended without telling."""

from __future__ import annotations

import json
from math import ceil

from langchain_core.messages import BaseMessage

from consilience.models.budget import Estimate
from consilience.models.calling import Prompt
from consilience.models.usage import Usage, price

__all__ = ["estimated", "lost", "prompt_tokens"]

_BYTES_PER_TOKEN = 3
"""UTF-8 bytes a token, rather too few than too many: English has about 4; a Chinese character is 3 bytes."""

_TOKENS_PER_MESSAGE = 8
_TOKENS_PER_PART = 1500
"""A picture, a recording, a file: providers count pictures at 85 to about 1,500 tokens."""


def prompt_tokens(prompt: Prompt) -> int:
    """Tokens of the prompt, rather too many than too few; the schema counts too."""
    schema = len(json.dumps(prompt.schema)) if prompt.schema else 0
    size, parts = schema, 0
    for message in prompt.messages:
        written, other = _size(message)
        size, parts = size + written, parts + other
    return ceil(size / _BYTES_PER_TOKEN) + _TOKENS_PER_MESSAGE * len(prompt.messages) + _TOKENS_PER_PART * parts


def estimated(prompt: Prompt, reply_tokens: int, provider: str, model: str) -> Estimate:
    """What a call may take: its prompt, and the longest reply (`reply_tokens` where the sampling sets no limit)."""
    read = prompt_tokens(prompt)
    written = prompt.sampling.max_tokens or reply_tokens
    return Estimate(model, read + written, price(read, written, provider=provider, model=model))


def lost(prompt: Prompt, *, read: bool, seconds: float, provider: str, model: str) -> Usage:
    """What an attempt used that told no usage: its prompt where the model may have `read` it, else nothing."""
    told = {"input_tokens": prompt_tokens(prompt) if read else 0}
    return Usage.of_call(told, seconds=seconds, provider=provider, model=model)


def _size(message: BaseMessage) -> tuple[int, int]:
    """UTF-8 bytes of a message's text, and how many other parts it has."""
    if isinstance(message.content, str):
        return len(message.content.encode("utf-8", "surrogatepass")), 0
    texts = [part if isinstance(part, str) else part.get("text") for part in message.content]
    written = [text for text in texts if isinstance(text, str)]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in written), len(texts) - len(written)
