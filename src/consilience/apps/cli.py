"""The command line: `consilience ask | observe | tools | weights | doctor | chat`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from consilience.apps import asking, caching, checking, exchanging, mcp_command, observing, stocking, tooling
from consilience.core.errors import ConsilienceError

__all__ = ["EXIT_CODES", "app", "main"]

EXIT_CODES = """
Exit codes: 0 answered · 1 unexpected error · 2 wrong usage or configuration · 3 an input cannot be read ·
4 a package or weights are missing · 5 no model answered · 7 the evidence does not answer · 130 interrupted
"""

app = typer.Typer(
    name="consilience",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Ask a question about pictures, recordings, texts and tables. Encoders write down what they observe, "
    "LLM experts debate over that record, and a judge answers with citations that are checked.",
    epilog=EXIT_CODES,
)
app.command("ask", epilog=EXIT_CODES)(asking.ask_command)
app.command("observe", epilog=EXIT_CODES)(observing.observe_command)
app.command("export", epilog=EXIT_CODES)(exchanging.export_command)
app.command("import", epilog=EXIT_CODES)(exchanging.import_command)
app.command("mcp", epilog=EXIT_CODES)(mcp_command.mcp_command)
app.command("doctor")(checking.doctor_command)
app.add_typer(caching.cache_app, name="cache")
app.add_typer(tooling.tools_app, name="tools")
app.add_typer(stocking.weights_app, name="weights")


@app.command("chat")
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
    try:
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


def _report(problem: ConsilienceError) -> None:
    if "--json" in sys.argv:
        kind = type(problem).__name__
        print(json.dumps({"error": {"kind": kind, "problem": problem.problem, "cure": problem.cure}}))
    else:
        print(f"Error: {problem}", file=sys.stderr)


if __name__ == "__main__":
    main()
