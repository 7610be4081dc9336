"""`consilience weights`: the model files."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore, pull_with_bar

__all__ = ["weights_app"]

weights_app = typer.Typer(no_args_is_help=True, help="Model files: list, pull, verify.")

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Entries; all of them when none is named.")]


@weights_app.command("list")
def list_weights(as_json: AsJson = False) -> None:
    """Lists the weights of the manifest, with size, licence, and whether they are here."""
    store = WeightsStore(Settings())
    if as_json:
        rows = [
            {"name": e.name, "size": e.size, "licence": e.licence, "here": store.present(e.name)}
            for e in store.entries()
        ]
        print(json.dumps({"weights": rows}))
        return
    table = Table("name", "size", "licence", "here", "what it is")
    for entry in store.entries():
        here = "yes" if store.present(entry.name) else "no"
        cells = (entry.name, f"{entry.size / 1e6:,.0f} MB", entry.licence_told, here, entry.summary)
        table.add_row(*map(escape, cells))
    Console().print(table)


@weights_app.command("pull")
def pull_weights(names: Names = None) -> None:
    """Downloads weights, resuming what was interrupted, and verifies them; what is here is left alone."""
    settings = Settings()
    wanted = names or [entry.name for entry in WeightsStore(settings).entries()]
    for name in wanted:
        WeightsStore(settings).entry(name)
    pull_with_bar(wanted, settings)
    Console(stderr=True).print(f"Here: {', '.join(wanted)}", highlight=False, markup=False)


@weights_app.command("verify")
def verify_weights(names: Names = None) -> int:
    """Hashes what is here and compares it with the manifest; exit code 4 when something is wrong."""
    store = WeightsStore(Settings())
    console = Console()
    wanted = names or [entry.name for entry in store.entries() if store.present(entry.name)]
    wrong = 0
    for name in wanted:
        faults = store.verify(name)
        wrong += len(faults)
        for fault in faults:
            console.print(f"{name}: {fault}", style="red", markup=False)
        if not faults:
            console.print(f"{name}: right", highlight=False, markup=False)
    return 4 if wrong else 0


@weights_app.command("path")
def path_of_weights(name: Annotated[str, typer.Argument(help="Entry of the manifest.")]) -> None:
    """Prints the folder that holds an entry's files."""
    print(WeightsStore(Settings()).path(name))
