"""`consilience doctor`: what is installed, what is missing, and the exact cure."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consilience.apps.extras import extras, missing_packages
from consilience.core.errors import ConsilienceError
from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.models import DEFAULT_EMBEDDED, resolve
from consilience.tools.catalog import catalog, runs_unasked

__all__ = ["Finding", "doctor_command", "examine"]

_MEMORY_GB = 3.5


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    what: str
    state: Literal["good", "optional", "missing", "wrong"]
    """`optional`: it is not here, and nothing that runs by itself with these settings needs it."""
    told: str
    cure: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Looks at everything that a debate needs; changes nothing, and downloads nothing."""
    yield Finding("Python", "good", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield from _extras()
    yield from _weights(settings)
    yield _model(settings)
    found = catalog(settings)
    yield from (
        Finding(f"plug-in {plugin.name}", "wrong", f"{plugin.package}: {plugin.failure}", plugin.cure)
        for plugin in found.failures
    )
    yield from (Finding(f"plug-in {absent.package}", "missing", absent.problem, absent.cure) for absent in found.absent)
    yield from _room(settings)


def _extras() -> Iterator[Finding]:
    for extra, packages in extras().items():
        if missing := missing_packages(extra):
            told = f"no {', '.join(missing)}"
            yield Finding(f"extra {extra}", "missing", told, f"pip install 'consilience[{extra}]'")
        else:
            yield Finding(f"extra {extra}", "good", ", ".join(packages))


def _weights(settings: Settings) -> Iterator[Finding]:
    store = WeightsStore(settings)
    needed = _needed(settings)
    for entry in store.entries():
        told = f"{entry.size / 1e6:,.0f} MB, {entry.licence_told}"
        if store.present(entry.name):
            yield Finding(f"weights {entry.name}", "good", told)
        else:
            state: Literal["missing", "optional"] = "missing" if entry.name in needed else "optional"
            yield Finding(f"weights {entry.name}", state, told, f"consilience weights pull {entry.name}")


def _needed(settings: Settings) -> set[str]:
    """Weights of the encoders that run by themselves, and of the model that is set."""
    running = [encoder for encoder in catalog(settings).encoders if runs_unasked(encoder, settings)]
    needed = {name for encoder in running for name in encoder.weights}
    kind, _, name = settings.model.partition(":")
    return needed | {name or DEFAULT_EMBEDDED} if kind == "embedded" else needed


def _model(settings: Settings) -> Finding:
    try:
        endpoint = resolve(None, settings)
    except ConsilienceError as problem:
        return Finding("model", "wrong", problem.problem, problem.cure)
    return Finding("model", "good", endpoint.name)


def _room(settings: Settings) -> Iterator[Finding]:
    place = settings.cache_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e9
    if os.access(place, os.W_OK):
        yield Finding("cache folder", "good", f"{settings.cache_dir}, {free:.0f} GB free")
    else:
        yield Finding("cache folder", "wrong", f"{settings.cache_dir} is not writable", "Set CONSILIENCE_CACHE_DIR.")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    if memory < _MEMORY_GB:
        yield Finding("memory", "wrong", f"{memory:.1f} GB", "The embedded model wants 3.5 GB: use another model.")
    else:
        yield Finding("memory", "good", f"{memory:.0f} GB")


def doctor_command(
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else.")] = False,
) -> int:
    """Looks at packages, weights, model and disk, and names the cure for what is missing: exit code 4.

    Weights that nothing needs which runs by itself are optional.
    """
    findings = list(examine(Settings()))
    code = 0 if all(finding.state in ("good", "optional") for finding in findings) else 4
    if as_json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}))
        return code
    table = Table("", "what", "found", "cure")
    marks = {"good": "[green]✓[/]", "optional": "[dim]·[/]", "missing": "[yellow]-[/]", "wrong": "[red]✗[/]"}
    for finding in findings:
        told = f"{finding.told}; optional" if finding.state == "optional" else finding.told
        table.add_row(marks[finding.state], *map(escape, (finding.what, told, finding.cure)))
    console = Console()
    console.print(table)
    return code
