"""Who answers in the end: first the question that a conflict poses, then the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from consilience.agents.asking import Filled, ask, conversation, log_odds
from consilience.agents.briefing import debate_brief
from consilience.agents.prompts import prompt
from consilience.agents.replies import ComposeReply, compose_form, examine_form, resolve_form
from consilience.agents.tasks import Task
from consilience.agents.turn import Claim, Turn
from consilience.agents.verdict import Resolution

from consilience.models import Endpoint, Meter, Sampling
from consilience.observations import Modality, Record, Rendering, between_quotes, quoted

__all__ = ["Judge"]

_STANDING: tuple[Modality, ...] = ("document", "table", "text", "image", "video", "audio")
_SOURCES: dict[Modality, str] = {
    "audio": "the spoken words in a recording",
    "document": "a document",
    "image": "what a picture shows",
    "table": "a table",
    "text": "a written text",
    "video": "a video",
}


@dataclass(frozen=True)
class Judge:
    """Reads the cited evidence and the turns, without the speakers' names, and composes the answer."""

    endpoint: Endpoint
    sampling: Sampling = Sampling()
    digests: bool = False
    """It reads digests of the turns, see `debate_brief`."""

    async def resolve(
        self, question: str, record: Record, diverging: Sequence[Turn], meter: Meter, *, alone: bool = True
    ) -> Resolution:
        """The targeted question: which source is newer or overrides the other?

        It sees these positions and the lines they cite, and nothing else: with the whole debate before it, a small
        model follows the majority. What stands (print, tables) comes before what was said at a moment (sound).
        `alone`: an endpoint that tells odds is asked of one source at a time.
        """
        ordered = sorted(diverging, key=lambda turn: _momentariness(turn, record))
        if alone and self.endpoint.tells_alternatives:
            return await self._weigh(question, record, ordered, meter)
        told = "\n".join(f"{turn.seat}: {_testimony(turn, record)}" for turn in ordered)
        seats = [turn.seat for turn in ordered]
        instruction = prompt("resolve", question=question, seats=" or ".join(seats))
        messages = conversation(told, instruction)
        filled = await ask(self.endpoint, messages, resolve_form(seats), meter=meter, sampling=self.sampling)
        reply = filled.value
        return Resolution(
            question=instruction,
            stronger=None if reply.stronger == "neither" else reply.stronger,
            reason=reply.reason,
            answer=reply.answer,
        )

    async def _weigh(self, question: str, record: Record, parties: Sequence[Turn], meter: Meter) -> Resolution:
        """Asks of each party's source alone whether it tells of a change, and compares how far the model leans to yes.

        A small model that compares two sources in words takes the one that stands first, or last; one at a time, there
        is no order to be swayed by. What cites nothing cannot override.
        """
        leaning: dict[str, float] = {}
        for turn in parties:
            if not (says := _says(turn, record)):
                continue
            asked = (prompt("change", testimony=says), prompt("newest", testimony=says, question=question))
            leaning[turn.seat] = sum([await log_odds(self.endpoint, one, meter=meter) for one in asked])
        ranked = sorted(leaning, key=lambda seat: -leaning[seat])
        decided = bool(ranked) and (len(ranked) == 1 or leaning[ranked[0]] > leaning[ranked[1]])
        positions = {turn.seat: turn.position.text for turn in parties}
        stronger = ranked[0] if decided else None
        answer = positions.pop(stronger) if stronger else ""
        others = " and ".join(f'"{between_quotes(position)}"' for position in positions.values())
        return Resolution(
            question="Of each source alone: does it announce a change, and is it the newest state?",
            stronger=stronger,
            reason=f"it rests on what is newer or corrected, and overrides {others}"
            if stronger
            else "no source tells more of a change than the others",
            answer=answer or others,
            leaning={seat: round(odds, 2) for seat, odds in leaning.items()},
        )

    async def examine(
        self, question: str, evidence: Rendering, turns: Sequence[Turn], seats: Sequence[str], meter: Meter
    ) -> dict[str, str]:
        """One question to each of these seats, by letter, about what its statement leaves open or is contradicted in.

        Raises:
            ModelUnavailable: the endpoint failed.
            BadReply: it asks nothing that can be used.
            BudgetSpent: the meter's ledger did not admit a call.
        """
        named = " and ".join(f"seat {seat}" for seat in seats)
        messages = conversation(self._read(evidence, turns), prompt("examine", question=question, seats=named))
        filled = await ask(self.endpoint, messages, examine_form(seats), meter=meter, sampling=self.sampling)
        return dict(filled.value.questions)

    async def supports(self, question: str, claim: Claim, record: Record, meter: Meter) -> float:
        """How far the model leans to yes on whether what a claim cites states it: log-odds, as `log_odds` tells them.

        Raises:
            ModelUnavailable: the endpoint failed.
            BadReply: it does not tell odds.
            BudgetSpent: the meter's ledger did not admit the call.
        """
        labels = dict.fromkeys(citation.label for citation in claim.citations)
        testimony = _by_medium(record.in_context(labels), record)
        words = between_quotes(claim.text)
        return await log_odds(
            self.endpoint, prompt("supports", testimony=testimony, question=question, claim=words), meter=meter
        )

    async def compose(
        self,
        question: str,
        evidence: Rendering,
        turns: Sequence[Turn],
        resolution: Resolution | None,
        meter: Meter,
        on_text: Callable[[str], None] | None = None,
        task: Task = Task(),  # noqa: B008 (it is frozen)
    ) -> Filled[ComposeReply]:
        """The final answer with the claims it rests on.

        Of a conflict that has been decided, only the openings are read: a witness whom the exchange talked round would
        otherwise outvote the finding. `task` says what sort of answer is asked for.
        """
        finding = _finding(resolution) if resolution else ""
        instruction = prompt("compose", finding=finding, question=question)
        if task.kind != "open":
            instruction += "\n" + prompt(task.kind)
        decided = resolution is not None and resolution.decided
        heard = [turn for turn in turns if turn.round == 0] if decided else turns
        messages = conversation(self._read(evidence, heard), instruction)
        form = compose_form(evidence.labels, task.options)
        return await ask(self.endpoint, messages, form, meter=meter, sampling=self.sampling, on_text=on_text)

    def _read(self, evidence: Rendering, turns: Sequence[Turn]) -> str:
        return debate_brief(evidence, turns, digests=self.digests)


def _finding(resolution: Resolution) -> str:
    reason = quoted(resolution.reason).rstrip(".")
    if resolution.decided:
        return f'You have found that "{between_quotes(resolution.answer)}" is right: {reason}. '
    return f"You have found no source that overrides the others: {quoted(resolution.answer)} ({reason}). "


def _cited(turn: Turn) -> list[str]:
    return list(dict.fromkeys(c.label for claim in turn.claims if claim.holds for c in claim.citations))


def _testimony(turn: Turn, record: Record) -> str:
    """What a seat answers, with the words that it rests on and where they stand."""
    return f"{_says(turn, record) or 'no line cited'}. So {turn.seat} answers: {quoted(turn.position.text)}"


def _says(turn: Turn, record: Record) -> str:
    """`the spoken words in a recording [a2] say "..."`: the lines cited, with their neighbours, medium by medium."""
    return _by_medium(record.in_context(_cited(turn)), record)


def _by_medium(labels: Iterable[str], record: Record) -> str:
    members: dict[str, list[str]] = {}
    for label in labels:
        members.setdefault(record[label].provenance.media, []).append(label)
    return "; ".join(_quoted(own, record) for own in members.values())


def _quoted(labels: Sequence[str], record: Record) -> str:
    source = _SOURCES[record[labels[0]].provenance.modality]
    words = between_quotes(" ".join(record[label].text for label in labels))
    return f'{source} [{", ".join(labels)}] says "{words}"'


def _momentariness(turn: Turn, record: Record) -> int:
    modalities = [record[label].provenance.modality for label in _cited(turn)]
    return max((_STANDING.index(modality) for modality in modalities), default=0)
