"""How a question is deliberated: a value that reads at a glance, and the ready ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, get_args

from consilience.agents import Expert, generalists
from consilience.graphs.guidance import Pausing
from consilience.graphs.readings import Looks
from consilience.graphs.support import SupportBy
from consilience.graphs.topology import Topology, neighbours

from consilience.core.errors import BadConfiguration, UnknownName
from consilience.fusion import JUDGE, RULES, ConfidenceMap, rule_named

__all__ = ["PROTOCOLS", "Exchange", "Protocol", "Targeted", "protocol_named"]

Targeted = Literal["alone", "together", "nothing"]
"""Of each source alone whether it tells of a change, by the odds of yes, where the endpoint tells odds, else as
`together`; of all of them in words which one is newer or overrides; or nothing."""

Stopping = Literal["agreement", "stability", "no_new_evidence", "decline"]

_MOST_ROUNDS = 3
_LEAST_SAMPLES, _MOST_SAMPLES = 1, 26


@dataclass(frozen=True)
class Exchange:
    """The rounds in which the seats answer one another."""

    rounds: int = 1
    """At most so many, 1 to 3."""
    order: Literal["simultaneous", "staggered", "in_turn", "relay", "judge_led"] = "simultaneous"
    """All at once; the same, but the first one's request goes ahead, and the others' follow when it begins to be
    answered, so that a prefix cache serves them what all of them read; one after the other, each hearing those before
    it in the round; or so that each hears only the one before it; or all at once, each answering a question that the
    judge asks it first."""
    asks: Literal["all", "diverging"] = "all"
    """Whom a judge that leads asks; the others are silent. Where no positions diverge, all."""
    topology: Topology = "complete"
    against: bool = False
    """Anti-conformity: each seat is told to keep its answer unless the evidence, not the number of voices, speaks
    against it (the idea of Free-MAD, ACL Findings 2026)."""
    digests: bool = False
    """Seats and judge read digests of the turns instead of the whole: what stands above in the same prompt, the words
    of a line or an answer given before, is pointed at and not told again."""
    stops: tuple[Stopping, ...] = ("agreement", "decline")
    """What ends it before its last round."""

    def __post_init__(self) -> None:
        if not 1 <= self.rounds <= _MOST_ROUNDS:
            raise ValueError(f"rounds must be 1 to {_MOST_ROUNDS}, not {self.rounds}")
        neighbours(self.topology, "AB")
        for stop in self.stops:
            if stop not in get_args(Stopping):
                raise UnknownName("stop", stop, get_args(Stopping))


@dataclass(frozen=True)
class Protocol:
    """Who speaks, when they go on, and how it is decided."""

    name: str
    seats: Literal["specialists", "generalists"] = "specialists"
    """An expert for each modality, blind to the others; or `samples` experts for the whole record, who differ in what
    they draw. A panel with experts of its own overrides it."""
    route: bool = False
    """Only those of the experts sit down who can add something for the question and the record."""
    samples: int = 1
    """How many generalists."""
    gated: bool = False
    """Exchange only where the gate finds a ground for it."""
    exchange: Exchange | None = None
    """None: the openings are all that is said."""
    looks: Looks | None = None
    """What seats may have encoders read again, and at what cost; None: nothing, and no prompt speaks of it."""
    rule: str | None = None
    """A decision rule's name, or `judge`; None: a vote where options are given, else the judge."""
    share: float | None = None
    """Of `supermajority`: what a winner needs."""
    quorum: float = 0.0
    """Share of the seats that have to speak, 0 to 1; with fewer the debate fails, and costs no more."""
    targeted: Targeted = "alone"
    """What the judge is asked first of openings that diverge."""
    swap: bool = False
    """The judge answers twice, over the turns in both orders; where the two do not agree, that is told."""
    pause: tuple[Pausing, ...] = ()
    """Where a person is asked before it goes on; the run has to be kept for that."""
    matched: bool = False
    """The judge is told what sort of answer the question asks for: yes or no, or a number. Of options it always chooses
    one, or says that none is stated."""
    supported: SupportBy | None = None
    """By what it is told whether the lines that a claim cites support it: the sentence embedder, which tells lines on
    something else, or the judge's model, which has to tell odds. Claims that are not supported are struck."""
    support: float = 0.0
    """Share of the seats that have to hold the answer in the end, 0 to 1; with less it abstains."""
    odds: bool = False
    """Where options are given, each seat's model tells the odds of their letters, one token each, if it can. The pools
    need it, and ask without being told to; `confidence` goes by it, and ranked rules rank by it."""
    calibration: ConfidenceMap | None = None
    """From the confidence to the probability of being right, as fitted on recorded results."""

    def __post_init__(self) -> None:
        if not _LEAST_SAMPLES <= self.samples <= _MOST_SAMPLES:
            raise ValueError(f"samples must be {_LEAST_SAMPLES} to {_MOST_SAMPLES}, not {self.samples}")
        if not (0 <= self.quorum <= 1 and 0 <= self.support <= 1):
            raise ValueError(f"quorum and support are shares, 0 to 1, not {self.quorum} and {self.support}")
        if self.rule is not None and self.rule not in (JUDGE, *RULES):
            raise UnknownName("decision rule", self.rule, (JUDGE, *RULES))
        if "look" in self.pause and self.looks is None:
            raise ValueError("there is nothing to pause at: nothing may be read again (`looks`)")
        if self.share is not None:
            rule_named(self.rule or "", self.share)

    @property
    def weighs(self) -> bool:
        """The seats are asked for odds of the options."""
        rule = RULES.get(self.rule or "")
        return self.odds or (rule is not None and rule.needs == "probabilities")

    @property
    def approves(self) -> bool:
        """The seats are asked which options they would accept."""
        rule = RULES.get(self.rule or "")
        return rule is not None and rule.needs == "approvals"

    def judges(self, options: Sequence[str]) -> bool:
        """The judge answers, and not only where a vote comes to nothing."""
        return self.rule == JUDGE or (self.rule is None and not options) or "conflict" in self.pause

    def experts(self) -> tuple[Expert, ...] | None:
        """Whom it seats; None: an expert for each modality that the record will have."""
        return generalists(self.samples) if self.seats == "generalists" else None

    def with_rounds(self, rounds: int) -> Protocol:
        """The same with so many rounds of exchange; 0 for none.

        Raises:
            ValueError: not 0 to 3.
        """
        if not 0 <= rounds <= _MOST_ROUNDS:
            raise ValueError(f"rounds must be 0 to {_MOST_ROUNDS}, not {rounds}")
        if rounds == 0:
            return replace(self, exchange=None)
        return replace(self, exchange=replace(self.exchange or Exchange(), rounds=rounds))

    def within(self, rounds: int | None) -> Protocol:
        """The same in at most so many rounds of exchange, 0 or more; None: in its own."""
        if rounds is None or self.exchange is None:
            return self
        return self.with_rounds(min(rounds, self.exchange.rounds))

    def with_pause(self, pause: Sequence[str]) -> Protocol:
        """The same with a person asked at these places.

        Raises:
            UnknownName: there is no such place.
            BadConfiguration: a run never comes to it.
        """
        places: tuple[Pausing, ...] = get_args(Pausing)
        for place in pause:
            if place not in places:
                raise UnknownName("place to pause at", place, places)
        if "look" in pause and self.looks is None:
            raise BadConfiguration(
                "There is nothing to pause at: nothing may be read again.", cure="Allow it: looks=4, or --look-again 4."
            )
        return replace(self, pause=tuple(place for place in places if place in pause))

    def with_looks(self, requests: int) -> Protocol:
        """The same with so many places read again at most; 0 for none.

        Raises:
            ValueError: fewer than 0.
        """
        if requests == 0:
            return replace(self, looks=None)
        return replace(self, looks=replace(self.looks or Looks(), requests=requests))


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            Protocol("single", seats="generalists", rule="plurality"),
            Protocol("self_consistency", seats="generalists", samples=5, rule="plurality"),
            Protocol("vote", rule="plurality"),
            Protocol("panel"),
            Protocol("debate", exchange=Exchange()),
            Protocol("gated_debate", gated=True, exchange=Exchange()),
        )
    }
)
"""The ready ones: one expert; the vote of its draws; the vote of the specialists; their reports and a judge; the same
with an exchange; with one where it can pay."""


def protocol_named(name: str) -> Protocol:
    """The ready protocol of that name.

    Raises:
        UnknownName: there is none; the error names those there are.
    """
    if name not in PROTOCOLS:
        raise UnknownName("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
