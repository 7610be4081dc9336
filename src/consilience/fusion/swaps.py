"""Whether a verdict depends on the order in which the answers were shown."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Flips", "flips"]


class Flips(BaseModel):
    """How often a judge changed its verdict when the order was turned round."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flipped: int = Field(ge=0)
    compared: int = Field(ge=0, description="Pairs with a verdict both ways.")
    lost: int = Field(ge=0, description="Pairs that lack a verdict one way or both.")

    @property
    def rate(self) -> float | None:
        """Share of the compared pairs that flipped, 0 to 1; None where none could be compared."""
        return self.flipped / self.compared if self.compared else None

    @property
    def told(self) -> str:
        """For a reader: `1 of 4 verdicts flipped with the order (25 %)`."""
        lost = f"; {self.lost} could not be compared" if self.lost else ""
        if self.rate is None:
            return f"no verdict could be compared in both orders{lost}"
        return f"{self.flipped} of {self.compared} verdicts flipped with the order ({100 * self.rate:.0f} %){lost}"


def flips(verdicts: Iterable[tuple[str | None, str | None]]) -> Flips:
    """Counts verdicts that differ between the two orders.

    Args:
        verdicts: by question, the verdict in one order and in the other, each by name and not by place; None: no
            verdict. A tie that is called one is a verdict like any other.
    """
    pairs = list(verdicts)
    compared = [(one, other) for one, other in pairs if one is not None and other is not None]
    flipped = sum(one != other for one, other in compared)
    return Flips(flipped=flipped, compared=len(compared), lost=len(pairs) - len(compared))
