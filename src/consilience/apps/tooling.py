"""`consilience tools`: what encoders there are, what each takes and needs, whether it works, and a start for an own."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consilience.apps import scaffolding
from consilience.apps.trial import Trial, trials
from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.tools import Encoder
from consilience.tools.bounds import in_words
from consilience.tools.catalog import Catalog, catalog, runs_unasked

__all__ = ["tools_app"]

tools_app = typer.Typer(no_args_is_help=True, help="The encoders there are: list, show, doctor, new.")
tools_app.command("new")(scaffolding.new_command)

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else.")]

_MARKS = {"works": "[green]✓[/]", "skipped": "[dim]·[/]", "missing": "[yellow]-[/]", "failed": "[red]✗[/]"}


@tools_app.command("list")
def list_tools(as_json: AsJson = False) -> None:
    """Lists every encoder: what it reads and observes, what it costs and needs, where it comes from, when it runs."""
    settings = Settings()
    found = catalog(settings)
    if as_json:
        print(
            json.dumps(
                {
                    "encoders": [_facts(encoder, found, settings) for encoder in found.encoders],
                    "failures": [f"{plugin.name} of {plugin.package}: {plugin.failure}" for plugin in found.failures],
                    "not_allowed": [{"package": p.package, "name": p.name, "cure": p.cure} for p in found.waiting],
                    "not_found": [{"package": a.package, "problem": a.problem, "cure": a.cure} for a in found.absent],
                    "not_set": [{"name": encoder.name, "setting": setting} for encoder, setting in found.unset],
                }
            )
        )
        return
    console = Console(highlight=False, soft_wrap=True)
    for encoder in (*found.encoders, *(encoder for encoder, _ in found.unset)):
        needs = [f"[{encoder.extra}]"] if encoder.extra else []
        facts = [
            f"observes {', '.join(encoder.kinds)} in {encoder.modality}",
            encoder.cost,
            f"needs {' '.join([*needs, *encoder.weights])}" if needs or encoder.weights else "needs nothing else",
            f"runs {_when(encoder, found, settings)}",
            f"from {found.source(encoder.name)}",
        ]
        console.print(f"[bold]{escape(encoder.name)}[/] {escape(f'{encoder.version}: {encoder.summary}')}")
        console.print(f"    {escape('; '.join(facts))}", style="dim")
    for plugin in found.failures:
        told = f"Plug-in lost: {plugin.name} of {plugin.package}: {plugin.failure}. {plugin.cure}"
        console.print(told, style="red", markup=False)
    for plugin in found.waiting:
        told = f"Plug-in not allowed: {plugin.name} of {plugin.package} {plugin.version}. {plugin.cure}"
        console.print(told, style="yellow", markup=False)
    for absent in found.absent:
        told = f"Plug-in not found: CONSILIENCE_PLUGINS names {absent.package}: {absent.problem} {absent.cure}"
        console.print(told, style="red", markup=False)


def _when(encoder: Encoder, found: Catalog, settings: Settings) -> str:
    setting = next((setting for known, setting in found.unset if known.name == encoder.name), None)
    if setting:
        return f"where {setting} is set"
    if encoder.biometric and not settings.biometrics:
        return "never, for it is biometric and CONSILIENCE_BIOMETRICS is not set"
    return "when asked for" if encoder.on_demand else "always"


def _facts(encoder: Encoder, found: Catalog, settings: Settings) -> dict[str, Any]:
    return {
        "name": encoder.name,
        "version": encoder.version,
        "modality": encoder.modality,
        "mimes": list(encoder.mimes),
        "kinds": list(encoder.kinds),
        "cost": encoder.cost,
        "extra": encoder.extra,
        "weights": list(encoder.weights),
        "package": found.source(encoder.name),
        "allowed": settings.biometrics or not encoder.biometric,
        "runs_by_default": runs_unasked(encoder, settings) and encoder in found.encoders,
        "biometric": encoder.biometric,
        "deterministic": encoder.deterministic,
        "stretch": encoder.stretch,
        "summary": encoder.summary,
    }


@tools_app.command("show")
def show_tool(
    name: Annotated[str, typer.Argument(help="An encoder, such as image.text.")], as_json: AsJson = False
) -> None:
    """Shows one encoder: its parameters, its weights with their licences, and how to call it."""
    settings = Settings()
    found = catalog(settings)
    encoder = next((encoder for encoder, _ in found.unset if encoder.name == name), None) or found.encoder(name)
    facts, parameters, weights = _facts(encoder, found, settings), _parameters(encoder), _weights(encoder, settings)
    example = example_call(encoder)
    if as_json:
        print(json.dumps({**facts, "parameters": parameters, "weights": weights, "example": example}))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{escape(encoder.name)}[/] {escape(encoder.version)}, from {escape(facts['package'])}")
    console.print(encoder.summary, markup=False)
    about = Table(show_header=False, box=None)
    for what, fact in (
        ("reads", ", ".join([encoder.modality, *encoder.mimes])),
        ("observes", ", ".join(encoder.kinds)),
        ("cost", encoder.cost),
        ("needs", f"[{encoder.extra}]" if encoder.extra else "nothing else"),
        ("runs", _when(encoder, found, settings)),
        ("same input, same observations", "yes" if encoder.deterministic else "no"),
    ):
        about.add_row(what, escape(fact))
    console.print(about)
    if parameters:
        table = Table("parameter", "type", "default", "what it is")
        for row in parameters:
            table.add_row(*map(escape, (row["name"], row["type"], json.dumps(row["default"]), row["description"])))
        console.print(table)
    for row in weights:
        here = "here" if row["here"] else f"not here: consilience weights pull {row['name']}"
        licence = WeightsStore(settings).entry(row["name"]).licence_told
        told = f"weights {row['name']}, {row['size'] / 1e6:,.1f} MB, {licence}, {here}. {row['attribution']}"
        console.print(told, markup=False)
    print(f"\n{example}")


def _parameters(encoder: Encoder) -> list[dict[str, Any]]:
    schema = encoder.parameters.model_json_schema()
    return [
        {
            "name": name,
            "type": in_words(about),
            "default": about.get("default"),
            "description": about.get("description", ""),
        }
        for name, about in schema.get("properties", {}).items()
    ]


def _weights(encoder: Encoder, settings: Settings) -> list[dict[str, Any]]:
    store = WeightsStore(settings)
    entries = [store.entry(name) for name in encoder.weights]
    return [
        {
            "name": entry.name,
            "size": entry.size,
            "licence": entry.licence,
            "attribution": entry.attribution,
            "here": store.present(entry.name),
        }
        for entry in entries
    ]


def example_call(encoder: Encoder) -> str:
    """Python that runs `encoder` over a medium with its parameters spelled out."""
    parameters = ", ".join(f"{name!r}: {value!r}" for name, value in encoder.parameters().model_dump().items())
    return (
        "from consilience import Settings, Workbench\n"
        "from consilience.core.background import run_blocking\n"
        "from consilience.observations import ingest\n\n"
        f"bench = Workbench(settings=Settings({'biometrics=True' if encoder.biometric else ''}))\n"
        f"media = ingest('FILE', bench.store)  # {encoder.modality}\n"
        f"encoder = bench.runner.encoders[{encoder.name!r}]\n"
        f"encoding = run_blocking(bench.runner.encode(media, encoder, parameters={{{parameters}}}))\n"
        "print(*encoding.observations, sep='\\n')"
    )


@tools_app.command("doctor")
def doctor_command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Encoders; all of them when none is named.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Runs each encoder on a small packaged sample and names the cure for those that do not work: exit code 4.

    Encoders that cost money run only when they are named.
    """
    settings = Settings()
    found = catalog(settings)
    done: list[Trial] = []
    console = Console(highlight=False, soft_wrap=True, quiet=as_json)
    for trial in trials(found, settings, names or ()):
        done.append(trial)
        told = escape(f"{trial.told} {trial.cure}".strip())
        console.print(f"{_MARKS[trial.state]} [bold]{escape(trial.encoder)}[/] {trial.state}: {told}")
    if as_json:
        print(json.dumps({"encoders": [trial.facts() for trial in done]}))
    return 4 if any(trial.state in ("missing", "failed") for trial in done) else 0
