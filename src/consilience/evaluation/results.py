"""What a run leaves behind: JSON lines that a later run goes on from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from consilience.agents import Confidence, Status, Turn
from consilience.evaluation.questions import Kind, Question
from consilience.graphs.state import Loss, SeatTaken, Spent
from consilience.models import Usage

__all__ = ["Journal", "Key", "Openings", "Result"]


class Key(NamedTuple):
    """What a result is of."""

    question: str
    protocol: str
    seed: int


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1


class Openings(_Line):
    """The blind openings of a panel on one question: asked once, and every protocol that seats it goes on from them."""

    question: str = Field(description="Its id.")
    digest: str = Field(description="Of the question, the prompts' words, and the record as it was observed.")
    panel: str = Field(description="Digest of the experts and the model.")
    seed: int
    seats: tuple[SeatTaken, ...]
    turns: tuple[Turn, ...]
    losses: tuple[Loss, ...] = ()
    spent: tuple[Spent, ...] = ()
    seconds: float = Field(ge=0, description="By the clock, until the last seat had spoken.")

    def of_first(self, number: int) -> Openings:
        """As if only the first seats had been asked."""
        seats = self.seats[:number]
        letters = {seat.seat for seat in seats}
        return self.model_copy(
            update={
                "seats": seats,
                "turns": tuple(turn for turn in self.turns if turn.seat in letters),
                "losses": tuple(loss for loss in self.losses if loss.seat in letters),
                "spent": tuple(entry for entry in self.spent if entry.seat in letters),
            }
        )


class Result(_Line):
    """What one protocol made of one question."""

    question: str
    record: str
    kind: Kind
    split: Literal["dev", "test"]
    options: bool = Field(description="The question gave options.")
    protocol: str
    seed: int
    model: str
    digest: str = Field(description="As of the openings.")
    answer: str
    status: Status
    right: bool
    abstained: bool
    withheld: bool = Field(description="It abstained, and its text would have been right.")
    usage: Usage = Field(description="As if it had been asked alone, its share of the openings included.")
    seconds: float = Field(ge=0, description="By the clock, beyond the openings.")
    exchanged: bool = Field(False, description="The seats answered one another.")
    losses: tuple[str, ...] = ()
    confidence: Confidence | None = Field(None, description="None where there is none, or it was not recorded.")
    order_flipped: bool | None = Field(None, description="As the verdict has it; None where the judge was asked once.")
    reason: str = Field(description="Why it stopped, or failed.")

    @property
    def key(self) -> Key:
        """What it is of."""
        return Key(self.question, self.protocol, self.seed)

    @classmethod
    def failed(cls, question: Question, key: Key, model: str, digest: str, reason: str) -> Result:
        """A run that came to nothing: a wrong answer like any other."""
        return cls(
            question=question.id,
            record=question.record,
            kind=question.kind,
            split=question.split,
            options=bool(question.options),
            protocol=key.protocol,
            seed=key.seed,
            model=model,
            digest=digest,
            answer="",
            status="failed",
            right=False,
            abstained=False,
            withheld=False,
            usage=Usage(),
            seconds=0.0,
            reason=reason,
        )


_T = TypeVar("_T", bound=_Line)


class Journal(Generic[_T]):
    """Lines of one kind in a file. A line is on the disk before the next one is worked on."""

    def __init__(self, path: Path, kind: type[_T]) -> None:
        """Opens or begins it; a last line that was cut off is cut away."""
        self._path, self._kind = path, kind
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _mend(path)

    def __iter__(self) -> Iterator[_T]:
        """All lines, in order.

        Raises:
            ValueError: a line is none of this kind; the error names it.
        """
        if not self._path.exists():
            return
        for number, line in enumerate(self._path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                yield self._kind.model_validate_json(line)
            except ValidationError as problem:
                raise ValueError(f"{self._path}, line {number}: {problem}") from problem

    def add(self, line: _T) -> None:
        """Appends a line. Blocks until it is on the disk."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line.model_dump(mode="json"), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _mend(path: Path) -> None:
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
