from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consilience.core.errors import BadReply, FailureKind, ModelError, ModelUnavailable
from consilience.core.settings import Settings
from consilience.models.failures import explained, may_pass, retry_after
from consilience.models.retrying import Patience, persist

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def saying(**headers: str) -> Exception:
    problem = Exception("turned away")
    problem.response = SimpleNamespace(headers={k.replace("_", "-"): v for k, v in headers.items()})  # type: ignore[attr-defined]
    return problem


def status(code: int, body: Any = None) -> Exception:
    problem = Exception("no")
    problem.status_code, problem.body = code, body  # type: ignore[attr-defined]
    return problem


class Course:
    """Attempts that fail in turn with these errors and then succeed; it notes the waits between them."""

    def __init__(self, *problems: ModelError) -> None:
        self._problems = list(problems)
        self.attempts = 0
        self.waits: list[float] = []

    async def attempt(self) -> str:
        self.attempts += 1
        if self._problems:
            raise self._problems.pop(0)
        return "through"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def run(self, patience: Patience) -> str:
        return asyncio.run(persist(self.attempt, patience, self.sleep))


def failing(kind: FailureKind = "server", after: float | None = None) -> ModelUnavailable:
    return ModelUnavailable("m", "failed.", kind=kind, retry_after=after)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "0.25"}, 0.25),
        ({"retry_after": "7"}, 7),
        ({"retry_after": "-3"}, 0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5),
        ({"retry_after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"retry_after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, 0),
        ({"retry_after": "Wed, 25 Nov 2026 12:00:30"}, 30),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(saying(**headers), now=NOW) == seconds


@given(st.text(max_size=40))
def test_any_retry_after_is_read_or_passed_over(told: str) -> None:
    seconds = retry_after(saying(retry_after=told), now=NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("problem", "kind", "passes"),
    [
        (status(429), "rate_limit", True),
        (status(429, {"code": "insufficient_quota"}), "quota", False),
        (status(500), "server", True),
        (status(502), "server", True),
        (status(503), "server", True),
        (status(504), "server", True),
        (status(408), "timeout", True),
        (status(400), "request", False),
        (status(401), "key", False),
        (status(403), "key", False),
        (status(404), "missing", False),
        (status(422), "request", False),
        (TimeoutError(), "timeout", True),
        (ConnectionResetError(), "connection", True),
        (ConnectionRefusedError(), "unreachable", True),
        (RuntimeError("odd"), "unknown", False),
    ],
)
def test_what_may_pass_is_known_by_its_kind(problem: Exception, kind: FailureKind, passes: bool) -> None:
    told = explained("m", problem)
    assert (told.kind, may_pass(told)) == (kind, passes)


@pytest.mark.parametrize(("kind", "passes"), [("empty", True), ("refusal", False), ("cut", False), ("form", False)])
def test_of_bad_replies_only_an_empty_one_may_pass(kind: Any, passes: bool) -> None:
    assert may_pass(BadReply("m", "bad.", kind=kind)) is passes


@given(st.integers(0, 6), st.integers(0, 8))
def test_it_tries_as_often_as_it_may(retries: int, failures: int) -> None:
    course = Course(*(failing() for _ in range(failures)))
    if failures <= retries:
        assert course.run(Patience(retries=retries)) == "through"
    else:
        with pytest.raises(ModelUnavailable):
            course.run(Patience(retries=retries))
    assert course.attempts == min(failures, retries) + 1


@pytest.mark.parametrize("kind", ["key", "missing", "request", "quota", "unknown", "resting"])
def test_what_will_not_pass_is_not_tried_again(kind: FailureKind) -> None:
    course = Course(failing(kind))
    with pytest.raises(ModelUnavailable):
        course.run(Patience())
    assert course.attempts == 1


@given(st.lists(st.none() | st.floats(0, 3), min_size=1, max_size=6), st.floats(3, 10))
def test_waits_grow_with_full_jitter_and_never_end_before_the_endpoint_wants(
    asked: list[float | None], longest: float
) -> None:
    course = Course(*(failing("rate_limit", after) for after in asked))
    course.run(Patience(retries=len(asked), longest_wait=longest))
    for number, (wait, after) in enumerate(zip(course.waits, asked, strict=True)):
        assert (after or 0) <= wait <= min(longest, (after or 0) + 0.5 * 2**number)


def test_a_server_that_is_not_there_is_tried_twice_more() -> None:
    course = Course(*(failing("unreachable") for _ in range(9)))
    with pytest.raises(ModelUnavailable):
        course.run(Patience(retries=6))
    assert course.attempts == 3


def test_waits_differ() -> None:
    waits = []
    for _ in range(20):
        course = Course(failing())
        course.run(Patience())
        waits += course.waits
    assert len(set(waits)) > 10


def test_an_endpoint_that_wants_to_be_left_alone_for_long_is() -> None:
    course = Course(failing("rate_limit", 31))
    with pytest.raises(ModelUnavailable) as raised:
        course.run(Patience(longest_wait=30))
    assert (course.attempts, course.waits, raised.value.retry_after) == (1, [], 31)


def test_settings_make_the_patience() -> None:
    settings = Settings(request_seconds=9, retries=7, retry_seconds=3, breaker_failures=2, breaker_seconds=5)
    assert Patience.of(settings) == Patience(9, 7, 3, 2, 5)
