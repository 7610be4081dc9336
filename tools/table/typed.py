"""What a column holds: numbers, dates, booleans or text, with what is missing and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from consilience.tools.table.dates import COMPACT, Dates, dates, resolution_of
from consilience.tools.table.quantities import Quantities, quantities, unit_in
from consilience.tools.table.sheet import RawColumn

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Typed", "typed"]

_MISSING = (
    "na n/a n.a. n.a nan null none nil nul missing - -- --- \u2013 \u2014 ? . .. ... \u2026 #n/a #na k.a. n/d nd "
    "#div/0! #value! #ref! #name? #num! #null!"
).split()
_BOOLEANS = (
    frozenset({"true", "false"}),
    frozenset({"yes", "no"}),
    frozenset({"ja", "nein"}),
    frozenset({"oui", "non"}),
    frozenset({"sí", "no"}),
    frozenset({"si", "no"}),
    frozenset({"y", "n"}),
    frozenset({"t", "f"}),
)
# One letter, or a word of two languages, is a boolean only beside its opposite.
_SURE = _BOOLEANS[:4]
_TRUE = frozenset({"true", "yes", "ja", "oui", "sí", "si", "y", "t"})

Read = TypeVar("Read", Quantities, Dates)

# Of the cells that hold something, at most so many may be no numbers in a column of numbers.
_MOST_ODD = 0.05
_SAMPLE = 400


@dataclass(frozen=True)
class Typed:
    """A column, understood. Arrays are as long as the table."""

    type: str
    """`number`, `date`, `boolean`, `text` or `empty`."""
    texts: pa.ChunkedArray
    """Trimmed text of each cell; null where there is nothing."""
    unit: str | None = None
    numbers: NDArray[np.float64] | None = None
    """NaN where there is none; booleans are 0 and 1."""
    dates: NDArray[np.datetime64] | None = None
    resolution: str = "s"
    odd: tuple[int, ...] = ()
    """Rows, from 0, whose cell holds something else than the column does."""
    assumption: str | None = None

    @property
    def missing(self) -> int:
        """Cells with nothing in them, or with a mark that says so."""
        return int(self.texts.null_count)


def typed(column: RawColumn, decimal: str | None = None) -> Typed:
    """Understands a column; `decimal` is the table's decimal mark, where it is known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(column.cells.type) or pa.types.is_large_string(column.cells.type)):
        return _native(column)
    trimmed = pc.utf8_trim_whitespace(column.cells)
    texts = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    if texts.null_count == len(texts):
        return Typed("empty", texts)
    marked = pc.is_in(pc.utf8_lower(texts), pa.array(_MISSING))
    solid = pc.if_else(marked, None, texts)
    if column.declared:  # what is text on purpose may be a code like 007, but a date is one however it is kept
        return _date(solid) or Typed("text", texts)
    if solid.null_count == len(solid):
        return Typed("empty", solid)
    if pc.all(pc.match_substring_regex(solid, COMPACT)).as_py():  # 20240131 is a number as well
        return _date(solid) or Typed("text", texts)
    return _boolean(solid) or _number(column.name, solid, decimal) or _date(solid) or Typed("text", texts)


def _boolean(solid: pa.ChunkedArray) -> Typed | None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lower = pc.utf8_lower(solid)
    words = set(pc.unique(pc.drop_null(lower).slice(0, _SAMPLE)).to_pylist())
    if len(words) > 2 or not any(words <= pair for pair in _BOOLEANS):
        return None
    words = set(pc.unique(pc.drop_null(lower)).to_pylist())
    if not (words in _BOOLEANS or any(words <= pair for pair in _SURE)):
        return None
    true = pc.is_in(lower, pa.array(sorted(_TRUE)))
    values = np.asarray(pc.if_else(pc.is_null(solid), None, pc.cast(true, "float64")), dtype=np.float64)
    return Typed("boolean", solid, numbers=values)


def _number(name: str, solid: pa.ChunkedArray, decimal: str | None) -> Typed | None:
    import numpy as np

    def read(cells: pa.ChunkedArray) -> Quantities | None:
        return quantities(cells, decimal)

    if not (found := _whole(solid, read)):
        return None
    finite = np.where(np.isfinite(found.values), found.values, np.nan)
    odd = _odd(solid, np.isnan(finite))
    return (
        Typed("number", solid, found.unit or unit_in(name), numbers=finite, odd=odd, assumption=found.assumption)
        if odd is not None
        else None
    )


def _date(solid: pa.ChunkedArray) -> Typed | None:
    import numpy as np

    if not (found := _whole(solid, dates)):
        return None
    odd = _odd(solid, np.isnat(found.values))
    if odd is None:
        return None
    return Typed("date", solid, dates=found.values, resolution=found.resolution, odd=odd, assumption=found.assumption)


def _whole(solid: pa.ChunkedArray, read: Callable[[pa.ChunkedArray], Read | None]) -> Read | None:
    """Reads the column where reading the beginning of it makes sense."""
    import pyarrow.compute as pc

    sample = pc.drop_null(solid.slice(0, 20 * _SAMPLE)).slice(0, _SAMPLE)
    if len(sample) and len(sample) < len(solid) - solid.null_count:
        first = read(sample)
        if first is None or _odd(sample, _unread(first)) is None:
            return None
    return read(solid)


def _unread(found: Quantities | Dates) -> NDArray[np.bool_]:
    import numpy as np

    return np.isnat(found.values) if isinstance(found, Dates) else np.isnan(found.values)


def _odd(solid: pa.ChunkedArray, unread: NDArray[np.bool_]) -> tuple[int, ...] | None:
    """Rows that hold something that was not read; None where these are too many."""
    import numpy as np
    import pyarrow.compute as pc

    held = np.asarray(pc.is_valid(solid))
    rows = np.flatnonzero(held & unread)
    return None if len(rows) > _MOST_ODD * held.sum() else tuple(rows.tolist())


def _native(column: RawColumn) -> Typed:
    """A column whose file says of what type it is."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    cells, kind = column.cells, column.cells.type
    texts = pc.cast(cells, pa.string(), safe=False)
    if texts.null_count == len(texts):
        return Typed("empty", texts)
    if pa.types.is_boolean(kind):
        return Typed("boolean", texts, numbers=np.asarray(pc.cast(cells, pa.float64()), dtype=np.float64))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        values = np.asarray(pc.cast(cells, pa.timestamp("us"), safe=False), dtype="datetime64[us]")
        return Typed("date", texts, dates=values, resolution=resolution_of(values))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = np.asarray(pc.cast(cells, pa.float64(), safe=False), dtype=np.float64)
        finite = np.where(np.isfinite(values), values, np.nan)
        texts = pc.if_else(pa.chunked_array([np.isnan(finite)]), None, texts)
        return Typed("number", texts, unit_in(column.name), numbers=finite)
    return Typed("text", texts)
