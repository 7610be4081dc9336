"""A debate on the terminal: told as it happens, then the answer with its evidence."""

from __future__ import annotations

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from consilience.agents import Resolution, Turn, Verdict
from consilience.apps.perceiving import PerceptionTale
from consilience.core.counted import counted
from consilience.graphs import (
    AnswerDelta,
    ClaimStruck,
    Comparing,
    Decided,
    Event,
    Finished,
    GateDecided,
    LookedAgain,
    Paused,
    Perceived,
    PhaseStarted,
    PullingWeights,
    Reconciled,
    Recorded,
    Resolved,
    Seated,
    SeatLost,
    Settled,
    Started,
    ToolCalled,
    TurnTaken,
    Weighed,
    course_of,
)

__all__ = ["Narrator", "verdict_panel"]

_MARKS = {"complete": "green", "partial": "yellow", "abstained": "yellow", "failed": "red"}
# A film or a book has thousands of observations; nobody reads them as they scroll by.
_MOST_LINES = 60
_SEATS = ("cyan", "magenta", "green", "yellow", "blue", "red")


class Narrator:
    """Tells the events of one debate to a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._writing = False
        self._perception = PerceptionTale(console)

    def tell(self, event: Event) -> None:
        """One event, one or more lines."""
        if isinstance(event, PullingWeights):
            self._advance(event.name, event, DownloadColumn(), TransferSpeedColumn())
            return
        if isinstance(event, Comparing):
            self._advance("comparing the record with the question", event, MofNCompleteColumn(), TimeRemainingColumn())
            return
        self._end_bar()
        if isinstance(event, Perceived):
            self._perception.take(event)
            return
        self._perception.close()
        if isinstance(event, AnswerDelta):
            self._write(event.text)
            return
        if self._writing:
            self._console.print()
            self._writing = False
        self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case Started() | Recorded() | Reconciled() | PhaseStarted():
                self._heading(event)
            case TurnTaken():
                self._turn(event.turn)
            case Paused():
                self._console.print(f"\n[bold]{escape(event.pause.told())}[/]")
                for line in event.pause.lines:
                    self._console.print(f"  {escape(line)}", highlight=False)
            case Finished():
                self._console.print()
                self._console.print(verdict_panel(event.verdict))
            case GateDecided() | Settled() | Weighed() | Decided():
                self._console.print(f"  {escape(course_of(event))}", style="italic", highlight=False)
            case Seated() | ToolCalled() | SeatLost() | LookedAgain() | Resolved() | ClaimStruck():
                self._incident(event)

    def _heading(self, event: Started | Recorded | Reconciled | PhaseStarted) -> None:
        say = self._console.print
        match event:
            case Started():
                say(f"[bold]{escape(event.question)}[/]")
                for media in event.media:
                    say(f"  {escape(media.describe())}", style="dim", highlight=False)
                say("\n[bold]Perceiving[/]")
            case Recorded():
                say("\n[bold]The record[/]")
                for line in event.lines[:_MOST_LINES]:
                    say(f"  {escape(line)}", highlight=False)
                if len(event.lines) > _MOST_LINES:
                    say(
                        f"  ... and {len(event.lines) - _MOST_LINES} more: `consilience observe` shows all", style="dim"
                    )
            case Reconciled():
                self._reconciled(event)
            case PhaseStarted():
                say(f"\n[bold]{_phase(event)}[/]")

    def _reconciled(self, event: Reconciled) -> None:
        if event.lines:
            self._console.print("\n[bold]Across the media[/]")
        for line in event.lines:
            self._console.print(f"  {escape(line)}", highlight=False)
        for note in event.notes:
            self._console.print(f"  [yellow]{escape(note)}[/]")

    def _incident(self, event: Seated | ToolCalled | SeatLost | LookedAgain | Resolved | ClaimStruck) -> None:
        say = self._console.print
        match event:
            case LookedAgain():
                say(f"  {escape(event.look.describe())}", highlight=False)
                for line in event.lines:
                    say(f"    {escape(line)}", style="dim", highlight=False)
            case Seated():
                for each in event.passed_over:
                    say(f"  Not seated: {escape(each.expert)}: {escape(each.reason)}", style="dim", highlight=False)
            case ToolCalled():
                say(f"  {event.call.seat} called {escape(event.call.describe())}", highlight=False)
                for line in event.lines:
                    say(f"    {escape(line)}", style="dim", highlight=False)
            case SeatLost():
                say(f"  [red]Lost: {escape(event.expert)} ({event.phase}): {escape(event.reason)}[/]")
            case Resolved():
                say("  The openings contradict each other. Which source is newer or overrides the other?")
                say(f"  So: {escape(event.resolution.answer)}", highlight=False)
                say(f"  {escape(event.resolution.reason)}{_leaning(event.resolution)}", highlight=False)
            case ClaimStruck():
                say(f"  [yellow]Struck: {escape(event.struck.claim.text)} ({escape(event.struck.reason)})[/]")

    def close(self) -> None:
        """Ends what is still being drawn."""
        self._perception.close()
        self._end_bar()

    def _write(self, text: str) -> None:
        if not self._writing:
            self._console.print("  ", end="")
            self._writing = True
        self._console.print(escape(text), end="", highlight=False, soft_wrap=True)

    def _turn(self, turn: Turn) -> None:
        if turn.asked:
            self._console.print(f"  The judge asks {turn.seat}: {escape(turn.asked)}", style="dim", highlight=False)
        colour = _SEATS[(ord(turn.seat) - ord("A")) % len(_SEATS)]
        self._console.print(
            f"  [bold {colour}]{turn.seat} {escape(turn.expert)}[/]: {escape(turn.position.text)} "
            f"[dim]({escape(_stated(turn))})[/]",
            highlight=False,
        )
        for claim in turn.claims:
            for cited in claim.citations:
                mark = "[green]✓[/]" if cited.holds else "[red]✗[/]"
                self._console.print(f'     {mark} \\[{cited.label}] "{escape(cited.quote)}"', highlight=False)
        for dispute in turn.disputes:
            self._console.print(f"     disputes {dispute.seat}: {escape(dispute.reason)}", highlight=False)

    def _advance(self, name: str, event: PullingWeights | Comparing, *columns: ProgressColumn) -> None:
        if self._bar is None:
            self._bar = Progress(
                TextColumn("  {task.description}", markup=False),
                BarColumn(),
                *columns,
                console=self._console,
            )
            self._bar.start()
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(name, total=event.total)
        self._bar.update(self._tasks[name], completed=event.done)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar, self._tasks = None, {}


def _leaning(resolution: Resolution) -> str:
    """How far each source leans to a change, where the judge weighed them one at a time."""
    told = ", ".join(f"{seat} {odds:+.1f}" for seat, odds in resolution.leaning.items())
    return f" (log-odds: {told})" if told else ""


def _phase(event: PhaseStarted) -> str:
    if event.phase == "exchange":
        return f"Exchange, round {event.round}"
    return {"opening": "Openings, each blind to the others", "judgement": "Judgement"}[event.phase]


def _stated(turn: Turn) -> str:
    stated = {"fully": "fully stated", "partly": "partly stated", "not": "not stated"}[turn.position.stated]
    others = ", ".join(turn.position.approves)
    return f"{stated}; accepts {others} too" if others else stated


def verdict_panel(verdict: Verdict) -> Panel:
    """The answer, its evidence, who dissents, and whether the debate paid."""
    body = Table.grid(padding=(0, 1))
    body.add_column(overflow="fold")
    body.add_row(f"[bold]{escape(verdict.answer or verdict.stop_reason)}[/]")
    for claim in verdict.claims:
        body.add_row(f"\n{escape(claim.text)}")
        for cited in claim.citations:
            evidence = verdict.evidence_for(cited.label)
            where = f"{evidence.media.name} {evidence.observation.locator.describe()}".strip() if evidence else ""
            body.add_row(f'  [dim]\\[{cited.label}] "{escape(cited.quote)}" in {escape(where)}[/]')
    return Panel(
        Group(body, _books(verdict)),
        title=f"Answer ({verdict.status})",
        border_style=_MARKS[verdict.status],
        title_align="left",
    )


def _books(verdict: Verdict) -> Table:
    usage = verdict.usage
    rows = [("Confidence", verdict.confidence.line() if verdict.confidence else "none")]
    if order := verdict.order_line():
        rows.append(("Order", order))
    rows += [("Dissent", f"{d.expert}: {d.position.text} {d.reason}".strip()) for d in verdict.dissent]
    rows += [("Not seated", f"{each.expert}: {each.reason}") for each in verdict.passed_over]
    rows += [("Tool", f"{seat.expert}: {call.describe()}") for seat in verdict.seats for call in seat.tools]
    rows += [("Struck", f"{struck.claim.text} ({struck.reason})") for struck in verdict.struck]
    rows += [("Lost seat", f"{seat.expert}: {seat.reason}") for seat in verdict.seats if seat.reason]
    rows += [("Look", told) for told in verdict.looks]
    rows += [("Lost tool", lost) for lost in verdict.lost_tools]
    if verdict.payoff:
        rows.append(("Pay-off", verdict.payoff.line()))
    cost = "unknown" if usage.cost is None else f"${usage.cost:.4f}"
    told = f"{counted(usage.calls, 'call')}, {usage.prompt_tokens} prompt tokens ({usage.cached_tokens} cached)"
    rows.append(("Used", f"{told}, {usage.completion_tokens} generated, cost {cost}"))
    rows.append(("Stopped", verdict.stop_reason))
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    table.add_row("", "")
    for name, told in rows:
        table.add_row(name, escape(told))
    return table
