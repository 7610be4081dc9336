"""Rows of a table in CSV or TSV, each cell by its column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt

from consilience.core.errors import Unobservable
from consilience.observations import Cell, Locator, Observation

__all__ = ["rows"]


@encoder(modality="table", kinds=("table", "row"), version="1")
def rows(excerpt: Excerpt, *, most: int = 200) -> Iterator[Observation]:
    """Reads a table: its columns, and its first rows cell by cell."""
    header, *body = _read(excerpt.text())
    columns = [name.strip() or f"column {i}" for i, name in enumerate(header, 1)]
    left_out = f"; only the first {most} rows are listed" if len(body) > most else ""
    yield excerpt.observe(
        "table",
        {"columns": columns, "rows": len(body)},
        f"table of {len(body)} rows with the columns {', '.join(columns)}{left_out}",
    )
    for number, row in enumerate(body[:most], 1):
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        told = "; ".join(f"{name}: {cell}" for name, cell in cells.items() if cell)
        if told:
            yield excerpt.observe("row", {"cells": cells}, told, locator=Locator(cell=Cell(row=number)))


def _read(text: str) -> list[list[str]]:
    """All rows that hold something, header first."""
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    found = [row for row in csv.reader(io.StringIO(text), dialect) if any(cell.strip() for cell in row)]
    if not found:
        raise Unobservable("the table is empty")
    return found
