"""Tables against known truth: types and facts of columns, findings in series, silence over noise, and the time taken.

Beside it, in the same run, pandas that is told how each file is written, and a textbook's way with series: scipy's
regression (p < 0.01), ruptures (a step costs 2 log n times the noise's variance), Hampel's identifier (11 values, 3
deviations). Everything is generated from fixed seeds; `tables.py 1000` takes those from 1000 on.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import numpy as np
import pandas as pd
import ruptures
from consilience.tools import Runner
from consilience.tools.encoder import Encoder
from consilience.tools.table.columns import columns
from consilience.tools.table.rows import rows
from consilience.tools.table.series import series
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.stats import linregress

from consilience.core.settings import Settings
from consilience.observations import Column, Observation, ObservationStore, ingest
from consilience.observations import Series as Finding

Array = NDArray[np.float64]
FIRST = int(sys.argv[1]) if len(sys.argv) > 1 else 0
DAYS = pd.date_range("2023-01-01", periods=1000)


class Bench:
    """Encoders over generated media, in a store of their own."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(cache_dir=folder)
        self.store = ObservationStore.open(self.settings)
        self.runner = Runner(self.store, [rows, columns, series], settings=self.settings, cache=False)

    def look(self, source: Any, encoder: Encoder, name: str | None = None) -> tuple[Observation, ...]:
        """What the encoder observes in it."""
        encoding = asyncio.run(self.runner.encode(ingest(source, self.store, name=name), encoder))
        assert encoding.failure is None, encoding.failure
        return encoding.observations


# Columns


@dataclass(frozen=True)
class Style:
    """How a table is written."""

    suffix: str = ".csv"
    delimiter: str = ","
    codec: str = "utf-8"
    decimal: str = "."
    dates: str = "%Y-%m-%d"
    ends: str = "\n"
    header: bool = True


def styles() -> Iterator[Style]:
    locales = ((",", ".", "%Y-%m-%d"), (",", ".", "%m/%d/%Y"), (";", ",", "%d.%m.%Y"), ("\t", ".", "%d %b %Y"))
    locales += (("|", ".", "%Y%m%d"), (";", ",", "%d/%m/%Y"))
    for (mark, decimal, dates), codec, ends in itertools.product(
        locales, ("utf-8-sig", "utf-16", "cp1252"), ("\n", "\r\n")
    ):
        yield Style(".tsv" if mark == "\t" else ".csv", mark, codec, decimal, dates, ends)
    for mark, decimal, dates in locales:
        yield Style(".csv", mark, "utf-8", decimal, dates, "\n", header=False)
    yield from (Style(".xlsx"), Style(".parquet"))


def truth(seed: int, n: int = 120) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
    """A table in Python values, and what is true of its columns."""
    rng = np.random.default_rng(seed)
    day = pd.Series(rng.choice(DAYS.to_numpy(), n))
    price = pd.Series(np.round(rng.gamma(2, 900, n), 2))
    price[rng.choice(n, 9, replace=False)] = np.nan
    city = pd.Series(rng.choice(["Bath", "Köln", "Orléans", "York"], n))
    frame = pd.DataFrame(
        {
            "day": day,
            "price (EUR)": price,
            "weight [kg]": pd.Series(np.round(rng.normal(3, 1, n), 3)),
            "count": pd.Series(rng.integers(0, 50, n)),
            "zip": pd.Series([f"{x:05d}" for x in rng.integers(500, 9999, n)]),
            "city": city,
            "open": pd.Series(rng.integers(0, 2, n).astype(bool)),
            "note": pd.Series([f'said "{x}", then\nleft' for x in rng.integers(0, 10**6, n)]),
        }
    )
    kinds = ("date", "number", "number", "number", "text", "text", "boolean", "text")
    units = (None, "EUR", "kg", None, None, None, None, None)
    facts: dict[str, dict[str, Any]] = {}
    for name, kind, unit in zip(map(str, frame.columns), kinds, units, strict=True):
        known = frame[name].dropna()
        facts[name] = {"type": kind, "unit": unit, "missing": n - len(known), "distinct": known.nunique()}
        if kind == "number":
            facts[name] |= {"least": known.min(), "greatest": known.max(), "mean": known.mean()}
        if kind == "date":
            facts[name] |= {"least": str(known.min())[:10], "greatest": str(known.max())[:10]}
        if name in ("city", "open") and (most := known.value_counts()).iloc[0] > most.iloc[1]:
            facts[name] |= {"most frequent": str(most.index[0]).lower()}
    return frame, facts


def written(frame: pd.DataFrame, style: Style) -> bytes:
    buffer = io.BytesIO()
    if style.suffix == ".xlsx":
        frame.to_excel(buffer, index=False, engine="xlsxwriter")
        return buffer.getvalue()
    if style.suffix == ".parquet":
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    told = frame.copy()
    told["day"] = told["day"].dt.strftime(style.dates)
    told["open"] = told["open"].map({True: "yes", False: "no"})
    swap = str.maketrans(",.", ".,") if style.decimal == "," else {}
    for name, form in (("price (EUR)", "{:,.2f}"), ("weight [kg]", "{:.3f}")):
        told[name] = [("" if pd.isna(x) else form.format(x).translate(swap)) for x in told[name]]
    text = told.to_csv(index=False, sep=style.delimiter, header=style.header, lineterminator=style.ends)
    return text.encode(style.codec)


def column_facts(bench: Bench) -> None:
    right, asked, pandas = Counter[str](), Counter[str](), Counter[str]()
    tables = exact = 0
    for seed, style in enumerate(styles(), FIRST):
        frame, facts = truth(seed)
        content = written(frame, style)
        found = bench.look(content, columns, name=f"table{style.suffix}")
        pandas += by_pandas(content, style, facts)
        observed = [o.as_(Column) for o in found]
        tables += 1
        wrong = len(observed) != len(facts)
        for column, (name, expected) in zip(observed, facts.items(), strict=False):
            told = column.model_dump() | {"most frequent": (column.frequent or ("",))[0].lower()}
            told["most frequent"] = {"yes": "true", "no": "false"}.get(told["most frequent"], told["most frequent"])
            for fact, value in expected.items():
                if fact == "unit" and not style.header:
                    continue
                same = (
                    abs(told[fact] - value) < 1e-9 * max(1, abs(value))
                    if isinstance(value, float)
                    else told[fact] == value
                )
                asked[fact] += 1
                right[fact] += bool(same)
                wrong = wrong or not same
                if not same:
                    print(f"  {style}: {name}: {fact} is {value!r}, told {told[fact]!r}")
        exact += not wrong
    print(f"\nColumns: {exact} of {tables} generated tables exact in every fact")
    for fact in asked:
        bare = f", pandas told how the file is written: {pandas[fact]}" if fact in PANDAS_TELLS else ""
        print(f"  {fact:14} {right[fact]:4} of {asked[fact]}{bare}")


PANDAS_TELLS = ("type", "missing", "distinct", "least", "greatest")


def by_pandas(content: bytes, style: Style, facts: dict[str, dict[str, Any]]) -> Counter[str]:
    """How often bare pandas has a fact right, told delimiter, characters, decimal mark and header."""
    buffer = io.BytesIO(content)
    if style.suffix == ".xlsx":
        frame = pd.read_excel(buffer, engine="calamine")
    elif style.suffix == ".parquet":
        frame = pd.read_parquet(buffer)
    else:
        thousands = "." if style.decimal == "," else ","
        frame = pd.read_csv(
            buffer,
            sep=style.delimiter,
            encoding=style.codec,
            decimal=style.decimal,
            thousands=thousands,
            header="infer" if style.header else None,
        )
    right = Counter[str]()
    for (_, column), expected in zip(frame.items(), facts.values(), strict=True):
        kind = "boolean" if pd.api.types.is_bool_dtype(column) else "text"
        kind = "number" if kind == "text" and pd.api.types.is_numeric_dtype(column) else kind
        kind = "date" if pd.api.types.is_datetime64_any_dtype(column) else kind
        told = {"type": kind, "missing": int(column.isna().sum()), "distinct": int(column.nunique())}
        if kind in ("number", "date"):
            told |= {"least": column.min(), "greatest": column.max()}
        if kind == "date":
            told |= {fact: str(told[fact])[:10] for fact in ("least", "greatest")}
        right.update(fact for fact in PANDAS_TELLS if fact in expected and told.get(fact) == expected[fact])
    return right


# Series


def noise(rng: np.random.Generator, n: int, memory: float = 0.0) -> Array:
    values = np.zeros(n + 200)
    shocks = rng.normal(size=n + 200) * np.sqrt(1 - memory**2)
    for i in range(1, n + 200):
        values[i] = memory * values[i - 1] + shocks[i]
    return values[200:]


NOISES: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "normal": lambda rng, n: noise(rng, n),
    "remembers 0.5": lambda rng, n: noise(rng, n, 0.5),
    "remembers 0.8": lambda rng, n: noise(rng, n, 0.8),
    "exponential": lambda rng, n: rng.exponential(1, n),
    "Student's t, 3": lambda rng, n: rng.standard_t(3, n),
    "random walk": lambda rng, n: np.cumsum(rng.normal(size=n)),
}


@dataclass(frozen=True)
class Found:
    """What was found in one series."""

    slope: float | None
    steps: tuple[int, ...]
    """Places, from 0."""
    outliers: tuple[int, ...]


def ours(bench: Bench, made: dict[str, Array]) -> dict[str, Found]:
    n = len(next(iter(made.values())))
    days = pd.date_range("2000-01-01", periods=n).strftime("%Y-%m-%d")
    observed = [o for o in bench.look(pd.DataFrame({"day": days, **made}).round(6), series) if o.kind == "series"]
    slopes: dict[str, float] = {}
    places: dict[tuple[str, str], list[int]] = {}
    for o in observed:
        told = o.as_(Finding)
        if told.finding == "trend":
            slopes[told.column] = float(told.facts["slope"])  # type: ignore[arg-type]
        elif o.locator.cell and o.locator.cell.row:
            places.setdefault((told.column, told.finding), []).append(o.locator.cell.row - 1)
    return {
        name: Found(slopes.get(name), tuple(places.get((name, "change"), ())), tuple(places.get((name, "outlier"), ())))
        for name in made
    }


def textbook(made: dict[str, Array]) -> dict[str, Found]:
    return {name: _by_the_book(values) for name, values in made.items()}


def _by_the_book(values: Array) -> Found:
    n = len(values)
    line = linregress(np.arange(n), values)
    steps = np.diff(values)
    variance = (1.4826 * float(np.median(np.abs(steps - np.median(steps))))) ** 2 / 2
    search = ruptures.KernelCPD(kernel="linear", min_size=4).fit(values)
    changes = search.predict(pen=max(2 * np.log(n) * variance, 1e-9))[:-1]
    local = median_filter(values, size=11, mode="reflect")
    spread = 1.4826 * median_filter(np.abs(values - local), size=11, mode="reflect")
    outliers = np.flatnonzero(np.abs(values - local) > 3 * spread)
    return Found(line.slope if line.pvalue < 0.01 else None, tuple(changes), tuple(outliers))


def ways(bench: Bench, made: dict[str, Array]) -> Iterator[tuple[str, dict[str, Found]]]:
    yield "ours", ours(bench, made)
    yield "textbook", textbook(made)


def rates(found: dict[str, tuple[int, ...]], places: dict[str, list[int]], within: int) -> str:
    """Precision and recall; each place is found once at most."""
    hits = 0
    for name, told in found.items():
        left = list(places[name])
        for place in told:
            near = [at for at in left if abs(at - place) <= within]
            if near:
                hits += 1
                left.remove(min(near, key=lambda at: abs(at - place)))
    many, total = sum(map(len, found.values())), sum(map(len, places.values()))
    return f"precision {hits / max(many, 1):.3f}, recall {hits / total:.3f}"


def false_alarms(bench: Bench, repeats: int = 200) -> None:
    print(f"\nFalse alarms, share of {repeats} series of noise with a finding (trend / change / outlier)")
    for name, make in NOISES.items():
        told: dict[str, list[str]] = {}
        for n in (24, 100, 1000):
            rng = np.random.default_rng(FIRST + n)
            made = {f"c{i}": make(rng, n) for i in range(repeats)}
            for way, found in ways(bench, made):
                shares = [(f.slope is not None, bool(f.steps), bool(f.outliers)) for f in found.values()]
                told.setdefault(way, []).append(
                    f"n={n}: " + " / ".join(f"{share:.3f}" for share in np.mean(shares, axis=0))
                )
        for way, cells in told.items():
            print(f"  {name:15} {way:9} {'   '.join(cells)}")


def known_changes(bench: Bench, repeats: int = 100) -> None:
    print(f"\nSteps of a level (1 to 3 a series, {repeats} series of 200 values), counted when within 3 values")
    for size in (1.5, 2.0, 3.0, 5.0):
        rng = np.random.default_rng(FIRST + int(size * 10))
        made: dict[str, Array] = {}
        places: dict[str, list[int]] = {}
        for i in range(repeats):
            where = sorted(rng.choice(np.arange(2, 18), rng.integers(1, 4), replace=False) * 10)
            level = sum(size * rng.choice([-1, 1]) * (np.arange(200) >= at) for at in where)
            made[f"c{i}"], places[f"c{i}"] = level + noise(rng, 200), [int(at) for at in where]
        for way, found in ways(bench, made):
            told = rates({name: f.steps for name, f in found.items()}, places, within=3)
            print(f"  {size:.1f} standard deviations, {way:9} {told}")


def known_outliers(bench: Bench, repeats: int = 100) -> None:
    print(f"\nOutliers (1 to 3 a series, {repeats} series of 200 values)")
    for size in (5.0, 7.0, 10.0):
        for name in ("normal", "trend", "wave"):
            rng = np.random.default_rng(FIRST + int(size))
            made, places = {}, {}
            for i in range(repeats):
                x = np.arange(200)
                base = {"normal": 0 * x, "trend": 0.1 * x, "wave": 8 * np.sin(x / 9)}[name]
                values = base + noise(rng, 200)
                where = rng.choice(200, rng.integers(1, 4), replace=False)
                values[where] = base[where] + size * rng.choice([-1, 1], len(where))
                made[f"c{i}"], places[f"c{i}"] = values, [int(at) for at in where]
            for way, found in ways(bench, made):
                told = rates({column: f.outliers for column, f in found.items()}, places, within=0)
                print(f"  {size:4.1f} standard deviations, {name:6}, {way:9} {told}")


def known_trends(bench: Bench, repeats: int = 100) -> None:
    print(f"\nTrends ({repeats} series each): share found, and the error of the slope")
    for n, rise in ((24, 4.0), (24, 8.0), (100, 2.0), (100, 4.0), (1000, 1.0)):
        rng = np.random.default_rng(FIRST + n)
        slope = rise / n
        made = {f"c{i}": slope * np.arange(n) + noise(rng, n) for i in range(repeats)}
        for way, found in ways(bench, made):
            slopes = [f.slope for f in found.values() if f.slope is not None]
            error = np.median([abs(s / slope - 1) for s in slopes]) if slopes else float("nan")
            told = f"{len(slopes) / repeats:.2f}, median error {error:.0%}"
            print(f"  {rise:.0f} standard deviations over {n:4}, {way:9} {told}")


# Time


def timing(bench: Bench, n: int = 100_000, repeats: int = 5) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2000-01-01", periods=n, freq="min"),
            "id": np.arange(n),
            "price": rng.gamma(3, 500, n).round(2),
            "load": rng.normal(50, 5, n).round(2),
            "city": rng.choice(["Bath", "York", "Leeds", "Hull"], n),
            "ok": rng.choice(["yes", "no"], n),
        }
    )
    content = frame.to_csv(index=False).encode()
    media = ingest(content, bench.store, name="large.csv")
    path = bench.store.path(media)
    bare, ours = [], {encoder.name: [] for encoder in (rows, columns, series)}  # type: ignore[var-annotated]
    for _ in range(repeats):
        start = time.process_time()
        pd.read_csv(path, parse_dates=["when"]).describe(include="all")
        bare.append(time.process_time() - start)
        for encoder in (rows, columns, series):
            start = time.process_time()
            encoding = asyncio.run(bench.runner.encode(media, encoder))
            assert encoding.failure is None
            ours[encoder.name].append(time.process_time() - start)
    base = float(np.median(bare))
    print(
        f"\nProcessor time on {n:,} rows x {len(frame.columns)} columns ({len(content) / 1e6:.1f} MB of CSV), "
        f"median of {repeats}"
    )
    print(f"  pandas read_csv and describe {base:.2f} s")
    for name, seconds in ours.items():
        print(f"  {name:13} {np.median(seconds):.2f} s, {np.median(seconds) / base:.1f} times pandas")
    print(f"  largest resident size of this process so far: {machine.peak_memory():.0f} MiB")


def main() -> None:
    print(machine.describe())
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        column_facts(bench)
        false_alarms(bench)
        known_trends(bench)
        known_changes(bench)
        known_outliers(bench)
        timing(bench)


if __name__ == "__main__":
    main()
