"""What a run can be told, and what of that is kept so that another process can go on with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, TypedDict

from consilience.agents import Expert, Stance, Verdict, View
from consilience.graphs.debate import DebateGraph
from consilience.graphs.guidance import Guidance, Pausing, Rewind
from consilience.graphs.protocol import Protocol, protocol_named
from consilience.graphs.state import Asked
from consilience.tools import Encoder
from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import BaseModel, ConfigDict, Field

from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.models import Budget, ModelLike, Sampling
from consilience.observations import Media

__all__ = ["AskOptions", "Asking", "Standing", "effective_protocol"]

_OF_SEVERAL = ("experts", "judge", "route", "rounds", "looks", "pause")
"""Options that speak of several seats, of how they talk, or of who decides."""


class AskOptions(TypedDict, total=False):
    """What `ask`, `aask` and `astream` take beside the question and the media."""

    model: ModelLike
    """Chat model of every seat without one of its own; the default is the settings' model."""
    experts: Sequence[Expert]
    """Who debates; the default is one expert for each modality of the media."""
    route: bool
    """Seat only those of the experts who can add something for the question and the record; the verdict tells who was
    passed over and why."""
    judge: ModelLike
    """The judge's model; the default is the run's."""
    encoders: Sequence[Encoder]
    """Your encoders, beside the ready ones."""
    protocol: Protocol | str
    """How it is deliberated, or the name of a ready way (`single`, `self_consistency`, `vote`, `panel`, `debate`,
    `gated_debate`); the default is the settings', or `debate` where something is asked for that only a debate has."""
    rounds: int
    """Rounds of exchange, 0 to 3, instead of the protocol's."""
    looks: int
    """Places that seats may have encoders read again, 0 for none, instead of the protocol's."""
    options: Sequence[str]
    """Answers to choose from; the default is an open question."""
    budget: Budget
    """What the run may spend: tokens, US dollars, seconds, calls, rounds of exchange. One that runs out ends with the
    best answer so far."""
    fallbacks: Sequence[ModelLike]
    """Models that take over the calls that fail for good on `model`; the default is the settings'."""
    seed: int
    """For models that draw; the default is 0."""
    cache: bool
    """False encodes anew."""
    settings: Settings
    """The default is the environment's."""
    offsets: Mapping[str, float]
    """Seconds at which media start on one common clock, by their names or ids; without them media are compared in
    what they say and not in when."""
    graph: DebateGraph
    """An own graph; what is said above of models, seats, encoders, protocol, budget and offsets is its own affair."""
    earlier: Sequence[Asked | Verdict]
    """Questions asked before, the oldest first, so that this one may refer to them: their verdicts, or what is kept of
    them (`Asked.of`). The media that they cite need not be given again. A run that is kept needs none of it where the
    `thread` is the same."""
    thread: str
    """Keeps the run under this name as it goes, so that it can be resumed; see `checkpointer`. A name of its own where
    only `checkpointer` is given: the event `Started` tells it."""
    checkpointer: BaseCheckpointSaver[Any] | str
    """Where, or the URL of where (see `consilience.graphs.checkpointer`; `ask` takes a URL alone). An own graph's comes
    first; the default is the settings' `checkpoints`."""
    resume: Literal[True] | Guidance | Rewind
    """Go on with what was last asked on the thread, question and media included: after its process ended, however that
    was; or with what a person says to the pause that it stands at. No call that was completed is made again. Or go on
    from an earlier step of it, with something changed."""
    pause: Sequence[Pausing]
    """Ask a person at these places, instead of where the protocol says."""


Keepable = Literal["model", "judge", "fallbacks", "experts", "encoders", "graph"]


class Standing(BaseModel):
    """What a thread holds of earlier questions when a new one is asked on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    media: tuple[Media, ...] = ()
    earlier: tuple[Asked, ...] = ()
    observations: tuple[str, ...] = ()


class Asking(BaseModel):
    """A question with all that a process needs in order to go on with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1, 2] = 2
    """Of 1 the journal holds model calls alone, and nothing of tools, readings and what seats are shown."""
    question: str
    media: tuple[Media, ...] = ()
    on: Standing = Standing()
    options: tuple[str, ...] = ()
    earlier: tuple[Asked, ...] = ()
    model: str | None = None
    judge: str | None = None
    fallbacks: tuple[str, ...] | None = None
    experts: tuple[dict[str, Any], ...] | None = None
    protocol: Protocol
    budget: Budget | None = None
    seed: int = 0
    offsets: dict[str, float] = Field(default_factory=dict)
    own: tuple[Keepable, ...] = ()
    """What was given as objects of the caller's, which no database keeps: who resumes has to give it again."""
    branched: bool = False
    """It goes on from an earlier step with something changed."""

    @classmethod
    def of(cls, question: str, options: AskOptions) -> Asking:
        """What is asked with these options; the media have to be taken in yet."""
        experts, fallbacks = options.get("experts"), options.get("fallbacks")
        models = [expert.model for expert in experts or ()]
        kept = {
            "model": _named(options.get("model")),
            "judge": _named(options.get("judge")),
            "fallbacks": None if fallbacks is None or not _all_named(fallbacks) else fallbacks,
            "experts": tuple(asdict(expert) for expert in experts)
            if experts and _all_named(models) and not any(expert.tools for expert in experts)
            else None,
        }
        given: Any = options
        names: tuple[Keepable, ...] = ("model", "judge", "fallbacks", "experts", "encoders", "graph")
        own = [name for name in names if given.get(name) and kept.get(name) is None]
        return cls(
            question=question,
            options=tuple(options.get("options", ())),
            earlier=tuple(Asked.of(one) if isinstance(one, Verdict) else one for one in options.get("earlier", ())),
            offsets=dict(options.get("offsets", {})),
            protocol=_plain(effective_protocol(options)),
            budget=options.get("budget"),
            seed=options.get("seed", 0),
            own=tuple(own),
            **kept,
        )

    def completed(self, given: AskOptions) -> AskOptions:
        """These options with what was kept, where they do not say otherwise.

        Raises:
            BadConfiguration: something was an object of the caller's and is not given again.
        """
        if lacking := [name for name in self.own if name not in given]:
            raise BadConfiguration(
                f"The run was begun with objects of your own as {', '.join(lacking)}, which are not kept.",
                cure="Pass them again when you resume.",
            )
        kept: AskOptions = {"protocol": self.protocol, "seed": self.seed, "options": self.options}
        kept["earlier"] = self.earlier
        kept["offsets"] = self.offsets
        if self.model is not None:
            kept["model"] = self.model
        if self.judge is not None:
            kept["judge"] = self.judge
        if self.fallbacks is not None:
            kept["fallbacks"] = self.fallbacks
        if self.experts is not None:
            kept["experts"] = [_expert(told) for told in self.experts]
        if self.budget is not None:
            kept["budget"] = self.budget
        return {**kept, **given}

    def state(self) -> dict[str, Any]:
        """What the graph begins with: on a thread, what stands there from earlier is there already."""
        return {
            "question": self.question,
            "media": list(self.media),
            "options": list(self.options),
            "earlier": list(self.earlier),
        }

    def whole(self) -> dict[str, Any]:
        """What the graph begins with, with what stood on the thread."""
        state = self.state()
        return {
            **state,
            "media": [*self.on.media, *state["media"]],
            "earlier": [*self.on.earlier, *state["earlier"]],
            "observations": list(self.on.observations),
        }


def effective_protocol(options: AskOptions) -> Protocol:
    """The protocol with the rounds, looks, pauses and routing that stand beside it.

    Where none is named it is the settings'; or a debate, where that seats nobody's experts and several are spoken of.
    """
    protocol = _named_or_usual(options)
    protocol = replace(protocol, route=options.get("route", protocol.route))
    rounds, pause = options.get("rounds"), options.get("pause")
    protocol = protocol if rounds is None else protocol.with_rounds(rounds)
    looks = options.get("looks")
    protocol = protocol if looks is None else protocol.with_looks(looks)
    return protocol if pause is None else protocol.with_pause(pause)


def _named_or_usual(options: AskOptions) -> Protocol:
    given = options.get("protocol")
    if given is not None:
        return protocol_named(given) if isinstance(given, str) else given
    usual = protocol_named((options.get("settings") or Settings()).protocol)
    asked: Mapping[str, Any] = options
    if usual.seats == "generalists" and any(asked.get(name) for name in _OF_SEVERAL):
        return protocol_named("debate")
    return usual


def _plain(protocol: Protocol) -> Protocol:
    """The same, with lists of letters where a topology has them as one word."""
    if protocol.exchange is None or isinstance(protocol.exchange.topology, str):
        return protocol
    heard = {seat: tuple(others) for seat, others in protocol.exchange.topology.items()}
    return replace(protocol, exchange=replace(protocol.exchange, topology=heard))


def _named(model: ModelLike | None) -> str | None:
    return model if isinstance(model, str) else None


def _all_named(models: Iterable[ModelLike | None]) -> bool:
    return all(model is None or isinstance(model, str) for model in models)


def _expert(told: dict[str, Any]) -> Expert:
    view, stance = told["view"], told.get("stance")
    made = {
        "sampling": Sampling(**told["sampling"]),
        "view": None if view is None else _view(view),
        "stance": stance and Stance.model_validate(stance),
    }
    return Expert(**told | made)


def _view(told: dict[str, Any] | Sequence[Any]) -> View | tuple[Any, ...]:
    return View(**told) if isinstance(told, dict) else tuple(told)
