"""Tables in Parquet: what the footer promises is checked first, and what the pages unpack to as they are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from consilience.tools.table.sheet import RawColumn, Sheet, check_extent

from consilience.core.errors import BadMedia, MissingExtra, Unobservable
from consilience.core.settings import Limits
from consilience.observations.locator import one_line

__all__ = ["parquet_sheet"]

_BATCH = 65_536


def parquet_sheet(path: Path, name: str, limits: Limits, check: Callable[[], None]) -> Sheet:
    """The table in a Parquet file.

    Raises:
        Unobservable: it is broken, encrypted, or empty.
        BadMedia: it is larger than the limits allow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as problem:
        raise MissingExtra("pyarrow", "table", "Reading Parquet") from problem
    try:
        with pq.ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
            check_extent(name, about.num_rows, len(schema.names), limits)
            promised = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
            _check_bytes(name, promised, limits)
        # Repeated text stays packed: one long value a million times over is small in the file, and here.
        packed = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_binary(field.type)]
        with pq.ParquetFile(path, read_dictionary=packed) as file:
            batches = _batches(file, name, limits, check)
        table = pa.Table.from_batches(batches) if batches else schema.empty_table()
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as problem:
        raise Unobservable(f"the Parquet file cannot be read ({str(problem)[:200]})") from problem
    if not table.num_columns:
        raise Unobservable("the table is empty")
    names = [one_line(column)[:120] or f"column {i}" for i, column in enumerate(table.column_names, 1)]
    columns = [RawColumn(*pair, declared=True) for pair in zip(names, map(_plain, table.columns), strict=True)]
    return Sheet(tuple(columns), table.num_rows)


def _batches(file: Any, name: str, limits: Limits, check: Callable[[], None]) -> list[Any]:
    batches, rows, size = [], 0, 0
    for batch in file.iter_batches(batch_size=_BATCH):
        check()
        rows += batch.num_rows
        size += sum(map(_unpacked, batch.columns))
        check_extent(name, rows, 0, limits)
        _check_bytes(name, size, limits)
        batches.append(batch)
    return batches


def _check_bytes(name: str, size: int, limits: Limits) -> None:
    if size > limits.unpacked_bytes:
        raise BadMedia(
            name,
            f"would unpack to more than {limits.unpacked_bytes:,} bytes.",
            cure="Raise CONSILIENCE_LIMIT_UNPACKED_BYTES if you trust it.",
        )


def _unpacked(column: Any) -> int:
    """Bytes of a column of a batch, with each repetition counted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    return int(pc.sum(pc.take(pc.binary_length(column.dictionary), column.indices)).as_py() or 0)


def _plain(column: Any) -> Any:
    """A column as numbers, dates, booleans or text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        lengths = pc.cast(pc.binary_length(column), pa.string())
        return pc.binary_join_element_wise("binary of", lengths, "bytes", " ")
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_time(kind):
        return pc.cast(column, pa.string())
    simple = pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_string(kind)
    if simple and not (pa.types.is_duration(kind) or pa.types.is_interval(kind)):
        return column
    told = [None if cell is None else json.dumps(cell, default=str, ensure_ascii=False) for cell in column.to_pylist()]
    return pa.chunked_array([pa.array(told, pa.string())])
