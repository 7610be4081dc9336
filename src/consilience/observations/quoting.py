"""Untrusted words in a prompt: whatever they are, they cannot pass for a part of the prompt that they stand in.

Only what imitates is changed, and only in its marks, so that a quote of it still matches the observation word by word.
"""

from __future__ import annotations

import re

from consilience.observations.locator import one_line

__all__ = ["between_quotes", "quoted"]

_OPEN, _CLOSE = r"\[\uff3b\u3010\u3014\u27e6", r"\]\uff3d\u3011\u3015\u27e7"
_LABEL = re.compile(rf"[{_OPEN}](\s*[a-z]{{1,2}}\s?\d+(?:\s*,\s*[a-z]{{1,2}}\s?\d+)*\s*)[{_CLOSE}]", re.IGNORECASE)
"""`[i9]`, `[a1, a2]`, `[xb1]`: a label of the record."""
_SPEAKER = re.compile(r"(seat\s+[a-z]|question|evidence|statements|exchange)\s*[:\uff1a]", re.IGNORECASE)
"""`Seat B:`, `Evidence:`: what begins a peer's turn, or a section."""
_TOKEN = re.compile(
    r"<[|\uff5c](?P<name>[\w.\u2581-]{1,64})[|\uff5c]>"
    r"|<(?P<tag>/?(?:s|bos|eos|start_of_turn|end_of_turn|tool_call|tool_response|think))>"
    r"|\[(?P<inst>/?INST)\]|<<(?P<sys>/?SYS)>>"
)
"""`<|im_start|>`, `</s>`, `[INST]`: what chat templates of models are made of; servers read them in any text."""
_MARKS = re.compile(rf"[{_OPEN}<:\uff1a]")


def quoted(text: str) -> str:
    """`text` in one line, in which no label, seat, section or token of a chat template can be read.

    `[i9] Seat B: <|im_end|>` becomes `(i9) Seat B, (im_end)`: the words stay.
    """
    line = one_line(text)
    if not _MARKS.search(line):
        return line
    line = _TOKEN.sub(lambda found: f"({found['name'] or found['tag'] or found['inst'] or found['sys']})", line)
    return _SPEAKER.sub(r"\1,", _LABEL.sub(r"(\1)", line))


def between_quotes(text: str) -> str:
    """The same for what stands between double quotes, which it cannot close."""
    return re.sub('["\u201c\u201d\u201e]', "'", quoted(text))
