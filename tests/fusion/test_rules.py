"""The laws that decision rules obey, over drawn ballots, and what each rule makes of ballots that tell rules apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, permutations
from math import log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consilience.core.errors import UnknownName
from consilience.fusion import JUDGE, RULES, Ballot, Decision, consensus, rule_for, rule_named

OPTIONS = ("red", "green", "blue", "white")
NAMES = sorted(RULES)
RANKED = ["borda", "ranked_choice"]

every_rule = pytest.mark.parametrize("name", NAMES)


@st.composite
def ballots_of(draw: st.DrawFn, voter: str, *, abstaining: bool = True) -> Ballot:
    """Anything that one may say: a ranking cut short, approvals, probabilities, a reliability, or nothing."""
    ranking = draw(st.permutations(OPTIONS))[: draw(st.integers(0 if abstaining else 1, len(OPTIONS)))]
    weights = draw(st.lists(st.integers(0, 5), min_size=len(OPTIONS), max_size=len(OPTIONS)))
    told = ranking and sum(weights) and draw(st.booleans())
    return Ballot(
        voter=voter,
        ranking=tuple(ranking),
        approvals=tuple(ranking[: draw(st.integers(0, len(ranking)))]),
        probabilities={o: w / sum(weights) for o, w in zip(OPTIONS, weights, strict=True)} if told else {},
        reliability=draw(st.sampled_from([None, 0.1, 0.5, 0.7, 0.9, 1.0])),
    )


@st.composite
def elections(draw: st.DrawFn, *, least: int = 0, abstaining: bool = True) -> list[Ballot]:
    voters = "ABCDEFG"[: draw(st.integers(least, 7))]
    return [draw(ballots_of(voter, abstaining=abstaining)) for voter in voters]


def renamed(ballot: Ballot, names: dict[str, str]) -> Ballot:
    return Ballot(
        voter=ballot.voter,
        choice=names[ballot.choice] if ballot.choice else None,
        ranking=tuple(names[o] for o in ballot.ranking),
        approvals=tuple(names[o] for o in ballot.approvals),
        probabilities={names[o]: p for o, p in ballot.probabilities.items()},
        reliability=ballot.reliability,
    )


def chosen(*choices: str | None, reliabilities: Sequence[float | None] = ()) -> list[Ballot]:
    known = [*reliabilities, *[None] * (len(choices) - len(reliabilities))]
    return [
        Ballot(voter=chr(65 + i), choice=choice, reliability=reliability)
        for i, (choice, reliability) in enumerate(zip(choices, known, strict=True))
    ]


def ranked(*rankings: str) -> list[Ballot]:
    """Ballots of words, as `abc` for a before b before c."""
    return [Ballot(voter=chr(65 + i), ranking=tuple(ranking)) for i, ranking in enumerate(rankings)]


def same_outcome(one: Decision, other: Decision) -> bool:
    return (one.winner, set(one.ties), one.abstained) == (other.winner, set(other.ties), other.abstained)


@given(elections(), st.randoms())
def test_the_order_of_ballots_does_not_matter(ballots: list[Ballot], random: Random) -> None:
    shuffled = list(ballots)
    random.shuffle(shuffled)
    for rule in RULES.values():
        assert rule(shuffled, OPTIONS) == rule(ballots, OPTIONS)


@given(elections(), st.permutations(OPTIONS))
def test_renaming_the_options_renames_the_winner(ballots: list[Ballot], order: list[str]) -> None:
    names = dict(zip(OPTIONS, order, strict=True))
    other = [renamed(ballot, names) for ballot in ballots]
    for rule in RULES.values():
        before, after = rule(ballots, OPTIONS), rule(other, OPTIONS)
        assert after.winner == (names[before.winner] if before.winner else None)
        assert set(after.ties) == {names[option] for option in before.ties}
        assert {names[o]: value for o, value in before.tally.items()} == pytest.approx(after.tally)


@given(elections(), st.permutations(OPTIONS))
def test_the_order_of_options_does_not_matter(ballots: list[Ballot], order: list[str]) -> None:
    for rule in RULES.values():
        assert same_outcome(rule(ballots, OPTIONS), rule(ballots, order))


@given(elections())
def test_a_decision_is_one_thing_or_the_other(ballots: list[Ballot]) -> None:
    for rule in RULES.values():
        decision = rule(ballots, OPTIONS)
        assert decision == rule(ballots, OPTIONS)
        assert Decision.model_validate_json(decision.model_dump_json()) == decision
        assert not (decision.winner and decision.ties)
        assert len(decision.ties) != 1
        assert set(decision.tally) == set(OPTIONS)
        assert "\n" not in decision.told
        assert decision.told.startswith("no winner") == (decision.winner is None)
        assert all(voter in decision.told for voter in decision.abstained)


@given(elections())
def test_who_abstains_changes_only_who_abstained(ballots: list[Ballot]) -> None:
    for rule in RULES.values():
        with_all = rule(ballots, OPTIONS)
        without = rule([ballot for ballot in ballots if ballot.voter not in with_all.abstained], OPTIONS)
        assert without.abstained == ()
        assert without.told == with_all.told.partition(";")[0]
        assert (without.winner, without.ties, without.tally) == (with_all.winner, with_all.ties, with_all.tally)
        assert {b.voter for b in ballots if not b.counted(rule.needs)} == set(with_all.abstained)


@given(elections(least=1, abstaining=False), st.sampled_from(OPTIONS))
def test_what_everybody_puts_first_wins(ballots: list[Ballot], first: str) -> None:
    agreed = [
        Ballot(
            voter=ballot.voter,
            ranking=(first, *(o for o in ballot.ranking if o != first)),
            approvals=(first,),
            probabilities={first: 0.4, **{o: 0.2 for o in OPTIONS if o != first}},
            reliability=None if ballot.reliability in (None, 0.1) else ballot.reliability,
        )
        for ballot in ballots
    ]
    for rule in RULES.values():
        assert rule(agreed, OPTIONS).winner == first, rule.name


@pytest.mark.parametrize("name", ["majority", "plurality", "weighted", "supermajority", "unanimity"])
@given(elections(least=1, abstaining=False), st.data())
def test_a_vote_more_for_the_winner_does_not_unseat_it(name: str, ballots: list[Ballot], data: st.DataObject) -> None:
    plain = [Ballot(voter=b.voter, choice=b.choice, reliability=b.reliability) for b in ballots]
    winner = RULES[name](plain, OPTIONS).winner
    i = data.draw(st.integers(0, len(plain) - 1))
    moved = [*plain[:i], plain[i].model_copy(update={"choice": winner}), *plain[i + 1 :]]
    assert winner is None or RULES[name](moved, OPTIONS).winner == winner


@given(elections(least=1, abstaining=False), st.data())
def test_moving_bordas_winner_up_does_not_unseat_it(ballots: list[Ballot], data: st.DataObject) -> None:
    plain = [Ballot(voter=b.voter, ranking=b.ranking) for b in ballots]
    winner = RULES["borda"](plain, OPTIONS).winner
    i = data.draw(st.integers(0, len(plain) - 1))
    order = [option for option in plain[i].ranking if option != winner]
    place = plain[i].ranking.index(winner) if winner in plain[i].ranking else len(order)
    if winner:
        order.insert(data.draw(st.integers(0, place)), winner)
        raised = [*plain[:i], Ballot(voter=plain[i].voter, ranking=tuple(order)), *plain[i + 1 :]]
        assert RULES["borda"](raised, OPTIONS).winner == winner


@given(elections(least=1, abstaining=False), st.data())
def test_an_approval_more_for_the_winner_does_not_unseat_it(ballots: list[Ballot], data: st.DataObject) -> None:
    plain = [Ballot(voter=b.voter, approvals=b.approvals or b.ranking) for b in ballots]
    winner = RULES["approval"](plain, OPTIONS).winner
    i = data.draw(st.integers(0, len(plain) - 1))
    if winner and winner not in plain[i].approvals:
        more = Ballot(voter=plain[i].voter, approvals=(*plain[i].approvals, winner))
        assert RULES["approval"]([*plain[:i], more, *plain[i + 1 :]], OPTIONS).winner == winner


@given(elections(least=1, abstaining=False))
def test_bordas_points_are_shared_out_evenly(ballots: list[Ballot]) -> None:
    tally = RULES["borda"](ballots, OPTIONS).tally
    assert sum(tally.values()) == pytest.approx(len(ballots) * len(OPTIONS) * (len(OPTIONS) - 1) / 2)


def beats(ballots: Iterable[Ballot], one: str, other: str) -> int:
    """By how many ballots more `one` stands above `other`; what is left out stands below what is not."""

    def above(ballot: Ballot, a: str, b: str) -> bool:
        return a in ballot.ranking and (b not in ballot.ranking or ballot.ranking.index(a) < ballot.ranking.index(b))

    return sum(above(ballot, one, other) - above(ballot, other, one) for ballot in ballots)


@pytest.mark.parametrize("name", RANKED)
@given(elections(least=1, abstaining=False))
def test_who_loses_against_every_other_one_does_not_win(name: str, ballots: list[Ballot]) -> None:
    losers = [o for o in OPTIONS if all(beats(ballots, other, o) > 0 for other in OPTIONS if other != o)]
    # A run-off counts only ballots that still name somebody: there the law needs whole rankings.
    if name == "borda" or all(len(ballot.ranking) == len(OPTIONS) for ballot in ballots):
        assert RULES[name](ballots, OPTIONS).winner not in losers


def test_who_beats_every_other_one_may_be_passed_over() -> None:
    # b beats a and c by three to two, and five to none.
    borda = ranked("abc", "abc", "abc", "bca", "bca")
    assert beats(borda, "a", "b") > 0
    assert beats(borda, "a", "c") > 0
    assert RULES["borda"](borda, "abc").winner == "b"
    centre = ranked("abc", "abc", "cba", "cba", "bac")
    assert beats(centre, "b", "a") > 0
    assert beats(centre, "b", "c") > 0
    assert RULES["ranked_choice"](centre, "abc").winner == "a"


def run_offs(orders: list[tuple[str, ...]], standing: frozenset[str]) -> set[str]:
    """Winners over every order of sending the last out, one at a time, told plainly."""
    firsts = [next((o for o in order if o in standing), None) for order in orders]
    votes = {option: firsts.count(option) for option in standing}
    for option, number in votes.items():
        if 2 * number > sum(votes.values()):
            return {option}
    fewest = min(votes.values())
    return set().union(*(run_offs(orders, standing - {o}) for o, n in votes.items() if n == fewest))


@given(elections(least=1, abstaining=False))
def test_ranked_choice_is_every_order_of_sending_the_last_out(ballots: list[Ballot]) -> None:
    possible = run_offs([ballot.ranking for ballot in ballots], frozenset(OPTIONS))
    decision = RULES["ranked_choice"](ballots, OPTIONS)
    assert possible == ({decision.winner} if decision.winner else set(decision.ties))


@given(
    st.lists(st.sampled_from([0.3, 0.55, 0.6, 0.8, 0.95]), min_size=1, max_size=5),
    st.integers(2, 4),
    st.data(),
)
def test_weights_choose_what_is_likeliest_to_be_right(right: list[float], number: int, data: st.DataObject) -> None:
    options = OPTIONS[:number]
    votes = [data.draw(st.sampled_from(options)) for _ in right]
    # Who is worse than chance counts for nothing.
    heard = [(vote, p) for vote, p in zip(votes, right, strict=True) if p > 1 / number]
    likely = {o: sum(log(p if vote == o else (1 - p) / (number - 1)) for vote, p in heard) for o in options}
    best = [o for o in options if max(likely.values()) - likely[o] < 1e-6]
    decision = RULES["weighted"](chosen(*votes, reliabilities=right), options)
    assert ([decision.winner] if decision.winner else list(decision.ties)) == best


@every_rule
def test_nobody_votes(name: str) -> None:
    empty = RULES[name]([], OPTIONS)
    assert (empty.winner, empty.ties) == (None, ())
    silent = RULES[name]([Ballot(voter="A"), Ballot(voter="B")])
    assert (silent.winner, silent.tally, silent.abstained) == (None, {}, ("A", "B"))
    assert silent.told == f"no winner by {name.replace('_', ' ')}: nobody votes; A, B abstain"


@pytest.mark.parametrize(
    ("name", "choices", "winner", "ties"),
    [
        ("plurality", "aabc", "a", ()),
        ("plurality", "aabb", None, ("a", "b")),
        ("majority", "aab", "a", ()),
        ("majority", "aabc", None, ()),
        ("majority", "aabb", None, ("a", "b")),
        ("majority", "a", "a", ()),
        # Who abstains (-) stands in no denominator: two of three, of five seats.
        ("majority", "aab--", "a", ()),
        ("supermajority", "aab", "a", ()),
        ("supermajority", "aabbb", None, ()),
        ("supermajority", "aaaab", "a", ()),
        ("unanimity", "aaa", "a", ()),
        ("unanimity", "aaa-", "a", ()),
        ("unanimity", "aaab", None, ()),
        ("weighted", "aabc", "a", ()),
    ],
)
def test_choices(name: str, choices: str, winner: str | None, ties: tuple[str, ...]) -> None:
    decision = RULES[name](chosen(*(None if c == "-" else c for c in choices)))
    assert (decision.winner, decision.ties) == (winner, ties)


@pytest.mark.parametrize(
    ("name", "rankings", "winner", "ties"),
    [
        # Everybody's second choice.
        ("borda", ["abc", "cba", "bac", "bca"], "b", ()),
        ("borda", ["ab", "ba"], None, ("a", "b")),
        # One who ranks one option alone gives two points to it, and half a point to each other one.
        ("borda", ["a", "bc", "cb"], None, ("b", "c")),
        ("ranked_choice", ["abc", "abc", "bca", "bca", "cba"], "b", ()),
        # b and c share the last place, and whoever stays gets the other's votes: a must not slip through.
        ("ranked_choice", ["a"] * 4 + ["bc"] * 3 + ["cb"] * 3, None, ("b", "c")),
        # a and b share the last place, and c wins whichever of them goes.
        ("ranked_choice", ["ac", "bc", "c", "c"], "c", ()),
        ("ranked_choice", ["a", "b"], None, ("a", "b")),
        # Its ballot used up, c's voter drops out: two of three are enough.
        ("ranked_choice", ["ab", "ab", "ba", "c"], "a", ()),
    ],
)
def test_rankings(name: str, rankings: list[str], winner: str | None, ties: tuple[str, ...]) -> None:
    decision = RULES[name](ranked(*rankings))
    assert (decision.winner, decision.ties) == (winner, ties)


def test_ranked_choice_tells_who_went_out() -> None:
    decision = RULES["ranked_choice"](ranked("abc", "abc", "bca", "bca", "cba"), "abcd")
    assert decision.told == "'b' by ranked choice: 3 of 5 votes after 'c' went out"
    assert decision.tally == {"a": 2, "b": 3, "c": 1, "d": 0}


def test_a_crowd_that_shares_the_last_place_is_a_tie() -> None:
    # Every order of forty would be followed until the end of time.
    options = [f"option {n}" for n in range(40)]
    circle = [Ballot(voter=str(n), ranking=tuple(options[n:] + options[:n])) for n in range(40)]
    assert RULES["ranked_choice"](circle, options).ties == tuple(options)


def test_a_tie_for_the_last_place_is_told() -> None:
    told = RULES["ranked_choice"](ranked("a", "b")).told
    assert told == "no winner by ranked choice: 'a' and 'b' are level, it depends on which of the last goes out first"


def test_a_reliable_voter_outweighs_two_that_hardly_know() -> None:
    ballots = chosen("a", "b", "b", reliabilities=[0.9, 0.6, 0.6])
    assert RULES["plurality"](ballots).winner == "b"
    assert RULES["weighted"](ballots).winner == "a"


def test_one_who_was_never_wrong_does_not_outvote_everybody() -> None:
    ballots = chosen("a", "b", "b", "b", reliabilities=[1.0, 0.9, 0.9, 0.9])
    assert RULES["weighted"](ballots).winner == "b"


def test_voters_no_better_than_chance_decide_nothing() -> None:
    decision = RULES["weighted"](chosen("a", "a", "b", reliabilities=[0.5, 0.2, 0.5]))
    assert decision.winner is None
    assert "no voter is better than chance" in decision.told


def test_a_voter_of_unknown_reliability_counts_as_the_mean() -> None:
    tally = RULES["weighted"](chosen("a", "b", "c", reliabilities=[0.9, 0.7]), ["a", "b", "c"]).tally
    assert tally["c"] == pytest.approx(log(2 * 0.8 / 0.2))


@pytest.mark.parametrize(
    ("share", "agreeing", "reached"), [(0.75, 3, True), (0.76, 3, False), (1, 3, False), (1, 4, True), (0.51, 2, False)]
)
def test_a_consensus_takes_its_share(share: float, agreeing: int, reached: bool) -> None:
    ballots = chosen(*["a"] * agreeing, *["b"] * (4 - agreeing))
    assert (rule_named("supermajority", share)(ballots).winner == "a") is reached


@pytest.mark.parametrize("share", [0.5, 0, -1, 1.01])
def test_two_cannot_both_have_a_consensus(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        consensus(share)


def test_only_one_rule_takes_a_share() -> None:
    with pytest.raises(ValueError, match="takes no share"):
        rule_named("borda", 0.7)


def test_an_unknown_rule_names_the_choices() -> None:
    with pytest.raises(UnknownName, match="plurality") as caught:
        rule_named("bordar")
    assert "Did you mean 'borda'?" in caught.value.cure
    assert caught.value.choices == tuple(NAMES)


def test_what_is_no_option_is_no_vote() -> None:
    with pytest.raises(UnknownName, match="'c'"):
        RULES["plurality"](chosen("a", "c"), ["a", "b"])


def test_nobody_votes_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        RULES["plurality"]([Ballot(voter="A", choice="a"), Ballot(voter="A", choice="b")])
    with pytest.raises(ValueError, match="twice"):
        RULES["plurality"]([], ["a", "a"])


@pytest.mark.parametrize(
    "fields",
    [
        {"choice": "b", "ranking": ("a", "b")},
        {"choice": "b", "approvals": ("a",)},
        {"ranking": ("a", "a")},
        {"approvals": ("a", "b", "a")},
        {"probabilities": {"a": 0.7, "b": 0.7}},
        {"probabilities": {"a": 1.2, "b": -0.2}},
        {"probabilities": {"a": float("nan")}},
        {"reliability": 1.2},
    ],
)
def test_a_ballot_does_not_contradict_itself(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Ballot.model_validate({"voter": "A", **fields})


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, None),
        ({"ranking": ("b", "a")}, "b"),
        ({"approvals": ("b",)}, "b"),
        ({"approvals": ("a", "b")}, None),
        ({"probabilities": {"a": 0.4, "b": 0.6}}, "b"),
        ({"probabilities": {"a": 0.5, "b": 0.5}}, None),
        # What is most probable may differ from what is said: a model's words are not its logits.
        ({"choice": "a", "probabilities": {"a": 0.4, "b": 0.6}}, "a"),
    ],
)
def test_a_choice_follows_from_the_rest(fields: dict[str, object], choice: str | None) -> None:
    assert Ballot.model_validate({"voter": "A", **fields}).choice == choice


@given(elections())
def test_ballots_survive_json(ballots: list[Ballot]) -> None:
    assert [Ballot.model_validate_json(ballot.model_dump_json()) for ballot in ballots] == ballots


@pytest.mark.parametrize(
    ("options", "ballots", "name"),
    [
        ((), chosen("a", "b"), JUDGE),
        (("a", "b"), chosen("a", "b"), "plurality"),
        (("a", "b"), [], "plurality"),
        (("a", "b"), [Ballot(voter="A", probabilities={"a": 1.0}), Ballot(voter="B")], "linear_pool"),
        (("a", "b"), [Ballot(voter="A", probabilities={"a": 1.0}), Ballot(voter="B", choice="a")], "plurality"),
    ],
)
def test_the_task_picks_the_rule(options: tuple[str, ...], ballots: list[Ballot], name: str) -> None:
    assert rule_for(options, ballots) == name


def test_the_judge_is_no_vote() -> None:
    assert JUDGE not in RULES


def test_every_ranking_of_three_gives_the_points_of_its_pairs() -> None:
    for pair in combinations(list(permutations("abc")), 2):
        ballots = [Ballot(voter=str(i), ranking=ranking) for i, ranking in enumerate(pair)]
        tally = RULES["borda"](ballots, "abc").tally
        for one in "abc":
            wins = [(beats([ballot], one, other) + 1) / 2 for ballot in ballots for other in "abc" if other != one]
            assert tally[one] == sum(wins)
