"""The command line: `consilience ask`, `resume`, `replay`, `observe`, `tools`, `weights`, `doctor`, `chat` and more."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from consilience.core.errors import ConsilienceError
from consilience.core.tracing import exported_by_environment

__all__ = ["EXIT_CODES", "app", "main"]

EXIT_CODES = """
Exit codes: 0 answered · 1 unexpected error · 2 wrong usage or configuration · 3 an input cannot be read ·
4 a package or weights are missing · 5 no model answered · 6 it waits for a person · 7 the evidence does not answer ·
130 interrupted
"""

_HOMES = {
    "ask": ("asking", "ask_command"),
    "resume": ("resuming", "resume_command"),
    "replay": ("resuming", "replay_command"),
    "observe": ("observing", "observe_command"),
    "export": ("exchanging", "export_command"),
    "import": ("exchanging", "import_command"),
    "mcp": ("mcp_command", "mcp_command"),
    "doctor": ("checking", "doctor_command"),
    "cache": ("caching", "cache_app"),
    "tools": ("tooling", "tools_app"),
    "weights": ("stocking", "weights_app"),
    "chat": ("cli", "chat_command"),
}


class _Commands(TyperGroup):
    """Commands that are imported when they are called for: who observes a folder waits for no chat model's library."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_HOMES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _HOMES:
            return None
        module, name = _HOMES[cmd_name]
        found = getattr(import_module(f"consilience.apps.{module}"), name)
        if isinstance(found, typer.Typer):
            group = typer.main.get_command(found)
            group.name = cmd_name
            return group
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
        alone.command(cmd_name, epilog=EXIT_CODES)(found)
        return typer.main.get_command(alone)


app = typer.Typer(
    name="consilience",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Ask a question about pictures, recordings, texts and tables. Encoders write down what they observe, "
    "LLM experts debate over that record, and a judge answers with citations that are checked.",
    epilog=EXIT_CODES,
)


@app.callback()
def _commands() -> None:
    pass


def chat_command(
    graph: Annotated[
        str | None, typer.Argument(help="An own graph, `package.module:name`; the ready debate without it.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 7860,
    model: Annotated[str | None, typer.Option(help="Chat model of every seat.")] = None,
) -> None:
    """Opens the chat demo: drop pictures, recordings and texts in, ask, watch the debate, check the answer."""
    from consilience.apps.chat import serve

    serve(graph, host=host, port=port, model=model)


def main() -> None:
    """Runs the command line; every error of ours ends in one line and its own exit code."""
    _warn_of_variables()
    try:
        with exported_by_environment():
            sys.exit(app(standalone_mode=False) or 0)
    except ConsilienceError as problem:
        _report(problem)
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    except Exception as problem:
        # Only what click itself raises has these two; the rest is a bug, and its trace is wanted.
        show, code = getattr(problem, "show", None), getattr(problem, "exit_code", None)
        if show is None or not isinstance(code, int):
            raise
        show()
        sys.exit(code)


def _warn_of_variables() -> None:
    """A misspelt variable changes nothing, and nothing else would tell."""
    ours = [name for name in os.environ if name.startswith("CONSILIENCE_")]
    if not ours:
        return  # and the settings need not be imported for `--help`
    from consilience.core.settings import unknown_variables

    for variable, meant in unknown_variables(ours).items():
        hint = f" Did you mean {meant}?" if meant else ""
        print(f"Warning: the environment sets {variable}, and there is no such setting.{hint}", file=sys.stderr)


def _report(problem: ConsilienceError) -> None:
    if "--json" in sys.argv:
        kind = type(problem).__name__
        print(json.dumps({"error": {"kind": kind, "problem": problem.problem, "cure": problem.cure}}))
    else:
        print(f"Error: {problem}", file=sys.stderr)


if __name__ == "__main__":
    main()
