"""What a follow-up question is told of the questions before it, under a budget and without losing their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consilience.graphs.state import Asked, DebateState

from consilience.observations import Record, between_quotes
from consilience.observations.rendering import count_tokens

__all__ = ["Digest", "digest", "digest_of"]

_TOKENS = 400
_SHORTENED = ((None, None), (200, 160), (80, 60))
"""Characters of question and answer, from in full to the shortest; after that only the labels stay."""


@dataclass(frozen=True)
class Digest:
    """Earlier questions as a prompt has them.

    Attributes:
        text: in at most the tokens asked for; empty, or with a space at its end.
        labels: of the earlier evidence that it names, in the order in which it was cited.
    """

    text: str
    labels: tuple[str, ...]


def digest(earlier: Sequence[Asked], labels: Mapping[str, str], *, tokens: int = _TOKENS) -> Digest:
    """Earlier questions, answers, and the labels that they rest on.

    Where they do not all fit, the oldest is shortened first: its words, until only its labels stay; then the next. The
    labels go last, those of the oldest first: where all of them fit, none is lost.

    Args:
        earlier: from the oldest to the newest.
        labels: of the record, by observation; those that are not in it are passed over. Empty: words alone.
        tokens: that the text may take, 1 or more.
    """
    cited = [tuple(dict.fromkeys(labels[one] for one in asked.cited if one in labels)) for asked in earlier]
    levels = [0] * len(earlier)
    for i in range(len(levels)):
        while levels[i] < len(_SHORTENED) and count_tokens(_told(earlier, cited, levels)) > tokens:
            levels[i] += 1
    text = _told(earlier, cited, levels)
    while text and count_tokens(text) > tokens:
        # Only labels are left by now.
        first = next(i for i, names in enumerate(cited) if names)
        cited[first] = cited[first][1:]
        text = _told(earlier, cited, levels)
    return Digest(text, tuple(dict.fromkeys(label for names in cited for label in names)))


def digest_of(state: DebateState, record: Record | None = None) -> Digest:
    """The digest of a state's earlier questions, with their labels where a record is given."""
    earlier = state.get("earlier", [])
    labels = {o.id: label for label, o in record} if record is not None and earlier else {}
    return digest(earlier, labels)


def _told(earlier: Sequence[Asked], cited: Sequence[tuple[str, ...]], levels: Sequence[int]) -> str:
    """`(Cited before: [i1]) (Earlier question: "..." Answer: "..." [a1, a2]) `."""
    bare = [label for names, level in zip(cited, levels, strict=True) if level == len(_SHORTENED) for label in names]
    parts = [f"(Cited before: [{', '.join(dict.fromkeys(bare))}]) "] if bare else []
    for asked, names, level in zip(earlier, cited, levels, strict=True):
        if level < len(_SHORTENED):
            question, answer = _SHORTENED[level]
            rests_on = f" [{', '.join(names)}]" if names else ""
            # An answer may repeat what a medium told it to say.
            before, told = (between_quotes(text) for text in (asked.question, asked.answer))
            said = f'Earlier question: "{_cut(before, question)}" Answer: "{_cut(told, answer)}"'
            parts.append(f"({said}{rests_on}) ")
    return "".join(parts)


def _cut(text: str, most: int | None) -> str:
    """One line of `text`, in at most so many characters, cut between words where there are any."""
    line = " ".join(text.split())
    if most is None or len(line) <= most:
        return line
    kept = line[: most - 3]
    return (kept.rpartition(" ")[0] or kept) + "..."
