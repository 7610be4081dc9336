"""A record on the terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from consilience.core.counted import counted
from consilience.observations import Locator, Record

__all__ = ["record_table"]


def record_table(record: Record) -> Table:
    """The record, an observation a row."""
    table = Table(title=counted(len(record), "observation"), title_justify="left")
    for column in ("label", "medium", "where", "kind", "observed", "confidence"):
        table.add_column(column, overflow="fold", no_wrap=column in ("label", "kind"))
    for label, observation in record:
        media = record.medium_of(observation)
        table.add_row(
            label,
            escape(media.name if media else ""),
            escape(_where(observation.locator)),
            observation.kind,
            escape(observation.text),
            str(observation.confidence or ""),
        )
    return table


def _where(locator: Locator) -> str:
    box = locator.region
    region = f"{box.x:.0%},{box.y:.0%} {box.w:.0%} x {box.h:.0%}" if box else ""
    column = f"column {locator.cell.column}" if locator.cell and locator.cell.column is not None else ""
    chars = f"characters {locator.chars.start}-{locator.chars.end}" if locator.chars else ""
    return " ".join(filter(None, (locator.describe(), column, region, chars)))
