"""What was found in a series, in words and as data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consilience.tools.excerpt import Excerpt
from consilience.tools.table.columns import plainly
from consilience.tools.table.order import Order, pace_of
from consilience.tools.table.outliers import Outlier
from consilience.tools.table.shapes import Shape
from consilience.tools.table.sheet import Sheet

from consilience.observations import Cell, Confidence, Locator, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Line", "Report"]


@dataclass(frozen=True)
class Line:
    """One series of one column: what is known of it, in order."""

    column: int
    name: str
    unit: str | None
    order: Order
    values: NDArray[np.float64]

    @property
    def what(self) -> str:
        """Its name, with the group's where the table holds several."""
        return f"{self.name} ({self.order.group})" if self.order.group else self.name

    def tell(self, value: float, digits: int = 4) -> str:
        """A value with its unit."""
        unit = f"{'' if self.unit == '%' else ' '}{self.unit}" if self.unit else ""
        return f"{plainly(rounded(value, digits))}{unit}"


@dataclass(frozen=True)
class Report:
    """Puts what was found in a series into words."""

    excerpt: Excerpt
    sheet: Sheet
    line: Line
    known: NDArray[np.int64]
    """Places of the series that hold a value."""

    def trend(self, shape: Shape, chance: float) -> Observation:
        """A slope that noise gives with this chance."""
        line, order = self.line, self.line.order
        word, length = pace_of(order)
        slope = shape.slope * length
        first, last = order.at(int(self.known[0])), order.at(int(self.known[-1]))
        start, end = float(shape.fitted[0]), float(shape.fitted[-1])
        facts = {"slope": rounded(slope), "per": word, "from": first, "to": last, "p": rounded(chance)}
        facts |= {"start": rounded(start), "end": rounded(end)}
        course = f" (about {line.tell(start)} to about {line.tell(end)})" if not shape.steps else ""
        told = f"{line.what} {'rises' if slope > 0 else 'falls'} by about {line.tell(abs(slope))} per {word} from"
        beside = ", steps aside" if shape.steps else ""
        text = f"{told} {first} to {last}{course}{beside}, {_chance(chance)}"
        return self._observe("trend", facts, text, None, 1 - chance)

    def step(self, place: int, block: int, shape: Shape) -> Observation:
        """A step at a place of the series, which is at `block` of the shape."""
        line, at = self.line, int(self.known[place])
        before, after = float(shape.fitted[block - 1]), float(shape.fitted[block])
        bounds = [0, *shape.steps, len(shape.fitted)]
        number = bounds.index(block)
        left, right = block - bounds[number - 1], bounds[number + 1] - block
        explained = left * right / (left + right) * (after - before) ** 2 / (shape.noise or 1e-300)
        chance = min(1.0, len(shape.fitted) * math.exp(-min(explained / 2, 700)))
        facts = {"at": line.order.at(at), "before": rounded(before), "after": rounded(after)}
        told = f"{line.what} {'jumps' if after > before else 'drops'} at {self._place(at)}"
        text = f"{told} from about {line.tell(before)} to about {line.tell(after)}"
        return self._observe("change", facts, text, at, 1 - chance)

    def bend(self, place: int, shape: Shape) -> Observation:
        """A change of slope at a place of the series."""
        line, at = self.line, int(self.known[place])
        word, length = pace_of(line.order)
        before, after = shape.slope * length, shape.slope_after * length
        facts = {"at": line.order.at(at), "slope_before": rounded(before), "slope_after": rounded(after), "per": word}
        spans = abs(before) * (shape.bend or 0), abs(after) * (len(shape.fitted) - (shape.bend or 0))
        courses = [
            "level" if span < 0.1 * max(spans) else _course(line, slope, word)
            for slope, span in zip((before, after), spans, strict=True)
        ]
        text = f"{line.what} takes another course at {self._place(at)}: {courses[0]} before it, {courses[1]} after it"
        return self._observe("change", facts, text, at, None)

    def outlier(self, outlier: Outlier, many: int) -> Observation:
        """One of so many outliers."""
        line, at = self.line, int(self.known[outlier.place])
        facts = {"at": line.order.at(at), "value": rounded(outlier.value), "expected": rounded(outlier.expected)}
        facts |= {"z": rounded(min(outlier.score, 1e6), 3), "of": many}
        among = f", one of {many} outliers" if many > 1 else ""
        told = f"{line.what} is {line.tell(outlier.value, 12)} at {self._place(at)}, where about"
        text = f"{told} {line.tell(outlier.expected)} was to be expected{among}"
        return self._observe("outlier", facts, text, at, 1 - math.erfc(outlier.score / math.sqrt(2)))

    def holes(self) -> Iterator[Observation]:
        """Runs of missing values that are too long to be a chance of values missing here and there."""
        many = len(self.line.values)
        share = 1 - len(self.known) / many
        for before, after in zip(self.known[:-1], self.known[1:], strict=True):
            missing = int(after - before - 1)
            if missing >= 2 and many * share**missing < 0.01:
                first, last = self.line.order.at(int(before) + 1), self.line.order.at(int(after) - 1)
                facts = {"from": first, "to": last, "missing": missing}
                text = f"{self.line.what} has no values from {first} to {last} ({missing} missing)"
                yield self._observe("gap", facts, text, int(before) + 1, None)

    def _place(self, at: int) -> str:
        row = f"row {self.line.order.rows[at] + 1}"
        where = self.line.order.at(at)
        return where if where == row else f"{where} ({row})"

    def _observe(
        self, finding: str, facts: dict[str, Any], text: str, at: int | None, score: float | None
    ) -> Observation:
        line = self.line
        row = None if at is None else int(line.order.rows[at]) + 1
        value = {"column": line.name, "finding": finding, "unit": line.unit, "facts": facts}
        if line.order.group:
            facts["group"] = line.order.group
        return self.excerpt.observe(
            "series",
            value,
            text,
            locator=Locator(page=self.sheet.page, cell=Cell(row=row, column=line.column + 1)),
            confidence=None if score is None else Confidence(value=min(max(score, 0.0), 1.0), kind="score"),
        )


def rounded(number: float, digits: int = 6) -> float:
    return float(f"{number:.{digits}g}")


def _chance(chance: float) -> str:
    return "p < 0.001" if chance < 0.001 else f"p = {chance:.3f}"


def _course(line: Line, slope: float, word: str) -> str:
    direction = "rising" if slope > 0 else "falling"
    return f"{direction} by about {line.tell(abs(slope))} per {word}"
