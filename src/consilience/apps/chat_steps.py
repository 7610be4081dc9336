"""From the events of a debate to chat messages: nested, collapsible steps, the answer, its evidence.

A message is a plain dict as Gradio's chat understands it: `role`, `content`, and for a step `metadata` with `title`,
`id`, `parent_id` and `status`.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any, TypeAlias

from consilience.agents import Turn, Verdict
from consilience.agents.html import part_html
from consilience.core.counted import counted
from consilience.graphs import (
    AnswerDelta,
    ClaimStruck,
    Comparing,
    Decided,
    Event,
    Failed,
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
    SeatLost,
    Settled,
    Started,
    TurnTaken,
    Weighed,
    course_of,
)
from consilience.observations import ObservationStore

__all__ = ["Message", "Steps", "plain"]

Message: TypeAlias = dict[str, Any]

_PERCEPTION = "perception"

# Of a film's or a book's parts, so many are shown in full as they come; the record has them all.
_MOST_PARTS = 40


class Steps:
    """The messages of one answer, growing with its events."""

    def __init__(self, store: ObservationStore) -> None:
        self._store = store
        self._steps: list[Message] = []
        self._answer = ""
        self._tail: list[Message] = []
        self._phase = _PERCEPTION
        self._count = 0
        self._parts: dict[str, tuple[Message, list[str]]] = {}

    @property
    def messages(self) -> list[Message]:
        """Steps, then the answer, then its evidence."""
        answer = [{"role": "assistant", "content": self._answer}] if self._answer else []
        return [*self._steps, *answer, *self._tail]

    def tell(self, event: Event) -> None:
        """Takes one event in."""
        match event:
            case Started():
                names = ", ".join(media.name for media in event.media)
                self._open(_PERCEPTION, f"Perceiving {names}" if names else "Perceiving nothing new")
            case PullingWeights():
                megabytes = f"{event.done / 1e6:,.0f} of {event.total / 1e6:,.0f} MB"
                self._progress(f"Downloading {event.name}", megabytes, event)
            case Comparing():
                lines = f"{event.done:,} of {event.total:,} lines"
                self._progress("Comparing the record with the question", lines, event)
            case Perceived():
                self._perceived(event)
            case Recorded() | Reconciled() | PhaseStarted():
                self._advance(event)
            case TurnTaken() | LookedAgain() | SeatLost() | Resolved() | ClaimStruck():
                self._debate(event)
            case GateDecided() | Settled() | Weighed() | Decided():
                self._child(plain(course_of(event)), "")
            case AnswerDelta():
                self._answer += plain(event.text)
            case Finished() | Failed() | Paused():
                self._end(event)

    def fail(self, problem: str) -> None:
        """Ends with an error, shown where the answer would be."""
        for step in self._steps:
            step["metadata"]["status"] = "done"
        self._answer = f"**This did not work.** {plain(problem)}"

    def _end(self, event: Finished | Failed | Paused) -> None:
        match event:
            case Finished():
                self._finish(event.verdict)
            case Failed():
                self.fail(f"{event.reason} {event.cure}".strip())
            case Paused():
                self._child(f"A person is asked: {event.pause.told()}", "\n".join(map(plain, event.pause.lines)))
                self._answer = f"It waits for you: `consilience resume {plain(event.thread)}`"

    def _advance(self, event: Recorded | Reconciled | PhaseStarted) -> None:
        self._close(self._phase)
        if isinstance(event, Recorded):
            self._open(
                "record",
                f"The record: {counted(len(event.lines), 'observation')}",
                "\n".join(f"- {plain(line)}" for line in event.lines),
                "done",
            )
            return
        if isinstance(event, Reconciled):
            told = [plain(line) for line in (*event.lines, *event.notes)]
            if told:
                self._open("across", f"Across the media: {len(event.lines)}", "\n".join(f"- {t}" for t in told), "done")
            return
        self._phase = f"{event.phase}-{event.round}"
        self._open(self._phase, _phase_title(event))

    def _debate(self, event: TurnTaken | LookedAgain | SeatLost | Resolved | ClaimStruck) -> None:
        match event:
            case TurnTaken():
                turn = event.turn
                self._child(f"{turn.seat} {turn.expert}: {turn.position.text}", _turn_text(turn))
            case LookedAgain():
                self._child(event.look.describe(), "\n".join(f"- {plain(line)}" for line in event.lines))
            case SeatLost():
                self._child(f"Lost: {event.expert}", plain(event.reason))
            case Resolved():
                told = plain(f"{event.resolution.question} {event.resolution.reason}")
                self._child(f"The openings contradict each other; so: {event.resolution.answer}", told)
            case ClaimStruck():
                self._child(f"Struck: {event.struck.claim.text}", plain(event.struck.reason))

    def _progress(self, name: str, told: str, event: PullingWeights | Comparing) -> None:
        state = {"title": f"{name}: {told}", "status": "done" if event.done >= event.total else "pending"}
        for step in self._steps:
            if step["metadata"]["id"] == name:
                step["metadata"] |= state
                return
        self._open(name, state["title"], status=state["status"])

    def _perceived(self, event: Perceived) -> None:
        how = "cached" if event.cached else f"{event.seconds:.1f} s"
        name = f"{event.encoder} on {event.media.name}"
        told = "\n".join(f"- {plain(line)}" for line in event.lines)
        if event.failure:
            self._child(f"Lost: {name} {event.where.describe()} ({how})", plain(event.failure), _PERCEPTION)
        elif event.where:
            self._part(name, told, f"{event.done} of {event.planned}")
        else:
            self._child(f"{name} ({how})", told, _PERCEPTION)

    def _part(self, name: str, told: str, progress: str) -> None:
        """One step an encoder, however many parts of a medium it reads."""
        if name not in self._parts:
            self._child(name, "", _PERCEPTION)
            self._parts[name] = (self._steps[-1], [])
        step, lines = self._parts[name]
        lines.append(told)
        step["content"] = "\n".join(filter(None, lines[:_MOST_PARTS]))
        step["metadata"]["title"] = f"{name} ({counted(len(lines), 'part')}; {progress} encodings)"

    def _finish(self, verdict: Verdict) -> None:
        for step in self._steps:
            step["metadata"]["status"] = "done"
        self._answer = plain(verdict.answer) or f"**No answer.** {plain(verdict.stop_reason)}"
        evidence = _evidence_html(verdict, self._store)
        if evidence:
            self._tail.append({"role": "assistant", "content": {"html": evidence}})
        self._tail.append(_step("books", _books_title(verdict), _books(verdict), "done"))

    def _open(self, key: str, title: str, content: str = "", status: str = "pending") -> None:
        self._steps.append(_step(key, title, content, status))

    def _child(self, title: str, content: str, parent: str | None = None) -> None:
        self._count += 1
        step = _step(f"step-{self._count}", title, content, "done")
        step["metadata"]["parent_id"] = parent or self._phase
        self._steps.append(step)

    def _close(self, key: str) -> None:
        for step in self._steps:
            if step["metadata"]["id"] == key:
                step["metadata"]["status"] = "done"


_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$<>&:@])")


def plain(text: str) -> str:
    """Text that Markdown shows as it is: words out of media and models must not become links, pictures or markup."""
    return _MARKS.sub(r"\\\1", text)


def _step(key: str, title: str, content: str, status: str) -> Message:
    return {"role": "assistant", "content": content, "metadata": {"id": key, "title": title, "status": status}}


def _phase_title(event: PhaseStarted) -> str:
    if event.phase == "exchange":
        return f"Exchange, round {event.round}"
    return {"opening": "Openings, each blind to the others", "judgement": "Judgement"}[event.phase]


def _turn_text(turn: Turn) -> str:
    lines = [f"The judge asks: {plain(turn.asked)}", ""] if turn.asked else []
    others = plain(", ".join(turn.position.approves))
    accepts = f"; accepts {others} too" if others else ""
    lines += [f"{plain(turn.position.text)} ({turn.position.stated} stated{accepts})", ""]
    lines += [
        "- "
        + plain(
            f'{"✓" if cited.holds else "✗"} [{cited.label}] "{cited.quote}"{f": {cited.fault}" if cited.fault else ""}'
        )
        for claim in turn.claims
        for cited in claim.citations
    ]
    lines += [f"- disputes {dispute.seat}: {plain(dispute.reason)}" for dispute in turn.disputes]
    return "\n".join(lines)


def _evidence_html(verdict: Verdict, store: ObservationStore) -> str:
    """Each claim with the words it cites, and the picture with the box, or the seconds to play."""
    parts = {part.label: part_html(part, store) for part in verdict.parts if part.label}
    rows: list[str] = []
    for claim in verdict.claims:
        rows.append(f"<p><b>{escape(claim.text)}</b></p>")
        for cited in claim.citations:
            evidence = verdict.evidence_for(cited.label)
            where = f"{evidence.media.name} {evidence.observation.locator.describe()}" if evidence else ""
            rows.append(f"<p>[{escape(cited.label)}] “{escape(cited.quote)}” <i>{escape(where)}</i></p>")
            rows.append(parts.pop(cited.label, ""))
    return f'<div class="evidence">{"".join(rows)}</div>' if rows else ""


def _books_title(verdict: Verdict) -> str:
    sure = f"{verdict.confidence.line()}, " if verdict.confidence else ""
    return f"{verdict.status}, {sure}{counted(verdict.usage.calls, 'call')}"


def _books(verdict: Verdict) -> str:
    lines = [f"Confidence: {verdict.confidence.line() if verdict.confidence else 'none'}"]
    lines += [f"Order: {order}"] if (order := verdict.order_line()) else []
    lines += [f"Dissent: {d.expert}: {d.position.text} {d.reason}" for d in verdict.dissent]
    lines += [f"Struck: {s.claim.text} ({s.reason})" for s in verdict.struck]
    lines += [f"Not seated: {each.expert}: {each.reason}" for each in verdict.passed_over]
    lines += [f"Tool: {seat.expert}: {call.describe()}" for seat in verdict.seats for call in seat.tools]
    lines += [f"Lost seat: {seat.expert}: {seat.reason}" for seat in verdict.seats if seat.reason]
    lines += [f"Look: {told}" for told in verdict.looks]
    lines += [f"Lost tool: {lost}" for lost in verdict.lost_tools]
    if verdict.payoff:
        lines.append(f"Pay-off: {verdict.payoff.line()}")
    lines.append(f"Tokens: {verdict.usage.prompt_tokens} prompt, {verdict.usage.completion_tokens} generated")
    return "\n".join(f"- {plain(line)}" for line in lines)
