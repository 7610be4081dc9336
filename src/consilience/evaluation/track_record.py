"""How often an expert is right when it answers: what routing and a weighted vote go by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from consilience.evaluation.questions import Question, grade
from consilience.evaluation.results import Openings

__all__ = ["track_record"]


def track_record(openings: Iterable[Openings], questions: Sequence[Question]) -> dict[str, float]:
    """By expert, how often its opening is right where it answers, 0 to 1: `Expert(reliability=...)`.

    (r + 1) / (n + 2) of n answers of which r are right (Laplace's rule of succession), so that a few questions make
    nobody infallible. Openings that say "not stated" count for nothing: a blind seat may see nothing that answers. A
    stance is nobody's answer, and openings on other questions are passed over.
    """
    asked = {question.id: question for question in questions}
    answered, right = Counter[str](), Counter[str]()
    for kept in openings:
        for turn in kept.turns:
            if kept.question not in asked or not turn.position.answers or turn.stance:
                continue
            graded = grade(asked[kept.question], turn.position.text, "complete")
            answered[turn.expert] += 1
            right[turn.expert] += graded.right
    return {expert: (right[expert] + 1) / (number + 2) for expert, number in answered.items()}
