"""`--dry-run`: what a question would run, and at most about what it would cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consilience.agents import Seat, default_experts
from consilience.core.counted import counted
from consilience.core.settings import Settings
from consilience.fusion import JUDGE
from consilience.graphs import AskOptions, Panel, Protocol, Workbench
from consilience.graphs.options import effective_protocol
from consilience.graphs.seating import seating_of
from consilience.models import Endpoint, price
from consilience.observations import Locator, Media, Observation, Record, ingest
from consilience.observations.rendering import count_tokens

__all__ = ["dry_run"]

# Tokens of system prompt, instruction and schema of one call; and of the longest reply its schema allows.
_FRAME, _REPLY, _TURN = 260, 180, 90


def dry_run(question: str, files: Sequence[Path], options: AskOptions, *, as_json: bool) -> int:
    """Prints the plan; encodes nothing and calls no model."""
    plan = _plan(question, files, options)
    if as_json:
        print(json.dumps(plan, ensure_ascii=False))
        return 0
    console = Console()
    encoders = Table("medium", "encoder", "cost class", "state", title="Encoders", title_justify="left")
    for row in plan["encoders"]:
        cells = (row["media"], row["encoder"], row["cost"], "cached" if row["cached"] else "would run")
        encoders.add_row(*map(escape, cells))
    console.print(encoders)
    seats = Table("seat", "expert", "model", title="Seats", title_justify="left")
    for row in plan["seats"]:
        seats.add_row(*map(escape, (row["seat"], row["expert"], row["model"])))
    console.print(seats)
    console.print(
        f"At most {counted(plan['calls'], 'call')}, about {plan['prompt_tokens']} prompt "
        f"and {plan['completion_tokens']} generated tokens, {_cost(plan)}. {plan['basis']}",
        highlight=False,
        markup=False,
    )
    console.print(
        f"For comparison: one seat alone about {plan['single_tokens']} tokens, the vote of the openings about "
        f"{plan['vote_tokens']}; the whole buys {counted(plan['draws'], 'single answer')}.",
        highlight=False,
        markup=False,
    )
    return 0


def _cost(plan: dict[str, Any]) -> str:
    if plan["local"]:
        return "no cost: it runs here"
    return "cost unknown" if plan["cost"] is None else f"cost at most ${plan['cost']:.4f}"


def _plan(question: str, files: Sequence[Path], options: AskOptions) -> dict[str, Any]:
    settings = Settings()
    bench = Workbench(model=options.get("model"), settings=settings)
    media = [ingest(path, bench.store, limits=settings.limits) for path in files]
    encoders, record, known = _encoders(bench, media)
    how = effective_protocol(options)
    how = how.within(options["budget"].rounds) if "budget" in options else how
    panel = Panel(tuple(options.get("experts") or ()) or how.experts(), route=options.get("route", how.route))
    usual = panel.experts or default_experts(record.modalities)
    # Of a record that is not there yet, nobody knows who can add something.
    experts = seating_of(bench, panel, record, question).seated if known else usual
    seats = bench.seats(panel, experts)
    rounds = how.exchange.rounds if how.exchange else 0
    calls = _calls(how, seats, bench.endpoint(options.get("judge")), options)
    evidence = count_tokens(record.render().text) if known else min(expert.tokens for expert in experts)
    alone = _FRAME + count_tokens(question) + evidence
    prompt = calls * alone + _TURN * len(seats) * (rounds + 1) * (rounds + 2)
    single = alone + _REPLY
    endpoint = bench.endpoint()
    return {
        "media": [medium.model_dump(mode="json", exclude_none=True) for medium in media],
        "encoders": encoders,
        "seats": [{"seat": s.letter, "expert": s.expert.name, "model": s.endpoint.name} for s in seats],
        "calls": calls,
        "prompt_tokens": prompt,
        "completion_tokens": calls * _REPLY,
        "cost": price(
            prompt, calls * _REPLY, provider=endpoint.provider, model=endpoint.name.partition(":")[2] or endpoint.name
        ),
        "local": all(used.provider == "embedded" for used in (endpoint, *(seat.endpoint for seat in seats))),
        "single_tokens": single,
        "vote_tokens": len(seats) * single,
        "draws": (prompt + calls * _REPLY) // single,
        "basis": "Estimated over the cached record."
        if known
        else "Estimated over the largest evidence that a seat may see: the media are not encoded yet.",
    }


def _calls(how: Protocol, seats: Sequence[Seat], judge: Endpoint, options: AskOptions) -> int:
    """Of the models, at most, repairs aside."""
    rounds, chosen = how.exchange.rounds if how.exchange else 0, bool(options.get("options"))
    led = rounds if how.exchange and how.exchange.order == "judge_led" else 0
    weighed = len(seats) if how.weighs and chosen else 0
    judged = 0
    if how.rule == JUDGE or (how.rule is None and not chosen):
        # About a conflict first: of each source alone twice, where the model tells odds, or of all at once.
        alone = how.targeted == "alone" and judge.tells_alternatives
        judged = (0 if how.targeted == "nothing" else 2 * len(seats) if alone else 1) + (2 if how.swap else 1)
    return len(seats) * (1 + rounds) + led + weighed + judged


def _encoders(bench: Workbench, media: Sequence[Media]) -> tuple[list[dict[str, Any]], Record, bool]:
    rows: list[dict[str, Any]] = []
    observations: list[Observation] = []
    known = True
    for medium, encoder in bench.runner.plan(media):
        key = encoder.cache_key(medium, Locator(), encoder.bind(), bench.settings)
        cached = bench.store.encoding(key)
        known = known and cached is not None
        observations += cached or ()
        rows.append({"media": medium.name, "encoder": encoder.name, "cost": encoder.cost, "cached": cached is not None})
    return rows, Record(media, observations), known
