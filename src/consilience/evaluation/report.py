"""Results as a report in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean, median
from typing import get_args

from consilience.evaluation.bootstrap import Interval
from consilience.evaluation.comparison import (
    abstention,
    accuracy,
    by_protocol,
    difference,
    equal_budget,
    flips,
    recommended,
    tokens,
)
from consilience.evaluation.confidence import order_flips, reliability
from consilience.evaluation.questions import Kind
from consilience.evaluation.results import Result

__all__ = ["report"]

_By = Mapping[str, Sequence[Result]]


def report(results: Sequence[Result], *, baseline: str = "vote", heading: str = "Quality") -> str:
    """Accuracy, cost, flips, abstention and the comparison at an equal budget.

    Args:
        results: of any number of protocols over the same questions; at least one.
        baseline: the protocol that the others are compared with, where it is among them.
        heading: of the report.
    """
    found = by_protocol(results)
    drawn = [name for name in found if "@" in name]
    named = {name: of_it for name, of_it in found.items() if name not in drawn}
    beside = baseline if baseline in named else next(iter(named))
    sections = [f"## {heading}", _extent(named), _accuracy(named, beside), _cost(named), _kinds(named)]
    sections += [_changes(named, beside), _abstention(named), _budgets(found, named, drawn)]
    sections += [_confidence(named), _order(named)]
    best = recommended(named)
    rule = "the cheapest, unless a dearer one is better with zero outside of the interval"
    sections.append(f"By the rule ({rule}) the default is **{best}**.")
    return "\n\n".join(section for section in sections if section) + "\n"


def _extent(named: _By) -> str:
    everything = [result for of_it in named.values() for result in of_it]
    asked, seeds = {result.question for result in everything}, sorted({result.seed for result in everything})
    records = {result.record for result in everything}
    models = ", ".join(sorted({result.model for result in everything}))
    told = f"{len(asked)} questions over {len(records)} records, model {models}, seeds {', '.join(map(str, seeds))}. "
    uneven = sorted({len(of_it) for of_it in named.values()})
    if len(uneven) > 1:
        told += f"**Not complete: the protocols have {uneven[0]} to {uneven[-1]} results.** "
    return told + "Intervals: 95 %, bootstrap over whole records; differences are paired."


def _accuracy(named: _By, beside: str) -> str:
    def row(name: str) -> list[str]:
        of_it = named[name]
        right = sum(result.right for result in of_it)
        apart = "" if name == beside else _points(difference(of_it, named[beside]))
        opened = [result for result in of_it if not result.options]
        given = [result for result in of_it if result.options]
        return [name, f"{right} of {len(of_it)}", _share(accuracy(of_it)), apart, _of(given), _of(opened)]

    return _table(["protocol", "right", "accuracy", f"points against {beside}", "options", "open"], named, row)


def _cost(named: _By) -> str:
    def row(name: str) -> list[str]:
        of_it = named[name]
        usage = [result.usage for result in of_it]
        failed, lost = sum(r.status == "failed" for r in of_it), sum(bool(r.losses) for r in of_it)
        return [
            name,
            f"{mean(used.calls for used in usage):.1f}",
            f"{tokens(of_it):.0f}",
            f"{mean(used.prompt_tokens - used.cached_tokens for used in usage):.0f}",
            f"{mean(used.completion_tokens for used in usage):.0f}",
            f"{median(used.seconds for used in usage):.0f}",
            f"{sum(result.exchanged for result in of_it)}",
            f"{failed}, {lost}",
        ]

    heads = ["protocol", "calls", "tokens", "of them prompt not cached", "completion"]
    table = _table([*heads, "seconds (median)", "exchanged", "failed, with losses"], named, row)
    return "A question costs, as if each protocol had asked its openings itself:\n\n" + table


def _kinds(named: _By) -> str:
    kinds = get_args(Kind)

    def row(name: str) -> list[str]:
        return [name, *(_of([result for result in named[name] if result.kind == kind]) for kind in kinds)]

    return "Right answers by kind of question:\n\n" + _table(["protocol", *kinds], named, row)


def _changes(named: _By, beside: str) -> str:
    others = {name: of_it for name, of_it in named.items() if name != beside}
    if not others:
        return ""

    def row(name: str) -> list[str]:
        turned = flips(named[name], named[beside])
        return [name, str(turned.wrong_to_right), str(turned.right_to_wrong)]

    return f"Against {beside}:\n\n" + _table(["protocol", "wrong to right", "right to wrong"], others, row)


def _confidence(named: _By) -> str:
    """What the confidences were worth; nothing where none were recorded."""
    worth = {f"{name} | {found.method}": found for name, of_it in named.items() for found in reliability(of_it)}

    def row(name: str) -> list[str]:
        f = worth[name]
        return [*name.split(" | "), str(f.cases), f"{f.right:.2f}", f"{f.mean:.2f}", f"{f.brier:.3f}", f"{f.error:.3f}"]

    heads = ["protocol", "method", "answers", "right", "mean confidence", "Brier", "calibration error"]
    return "Confidence of those that answered:\n\n" + _table(heads, worth, row) if worth else ""


def _order(named: _By) -> str:
    """How often the judge answered otherwise over the turns in reverse, where it was asked twice."""
    counted = [(name, order_flips(of_it)) for name, of_it in named.items()]
    return "\n".join(f"{name}: {found.told}." for name, found in counted if found.compared)


def _abstention(named: _By) -> str:
    def row(name: str) -> list[str]:
        found = abstention(named[name])
        shares = [_percent(found.precision), _percent(found.recall)]
        return [name, str(found.abstained), *shares, f"{found.rightly} of {found.unanswerable}", str(found.withheld)]

    heads = ["protocol", "abstained", "precision", "recall", "of the unanswerable", "right text withheld"]
    return "Abstaining:\n\n" + _table(heads, named, row)


def _budgets(found: _By, named: _By, drawn: Sequence[str]) -> str:
    compared = equal_budget(found, list(named), drawn)
    if not compared:
        return ""
    rows = {entry.protocol: entry for entry in compared}

    def row(name: str) -> list[str]:
        entry = rows[name]
        beside = _of(list(found[entry.draws]))
        return [
            name,
            f"{entry.tokens:.0f}",
            f"{entry.draws} ({entry.draws_tokens:.0f})",
            beside,
            _points(entry.difference),
        ]

    told = "At an equal budget of tokens, beside the vote of as many draws as it pays for:\n\n"
    return told + _table(["protocol", "tokens", "draws (tokens)", "they have right", "points against them"], rows, row)


def _table(heads: Sequence[str], rows: Mapping[str, object], row: Callable[[str], list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *(row(name) for name in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _of(results: Sequence[Result]) -> str:
    return f"{sum(result.right for result in results)}/{len(results)}"


def _share(interval: Interval) -> str:
    return f"{interval.mean:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def _points(interval: Interval) -> str:
    told = f"{100 * interval.mean:+.1f} ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
    return f"**{told}**" if interval.excludes_zero else told


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.0%}"
