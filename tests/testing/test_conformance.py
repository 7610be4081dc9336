"""The conformance suite catches what it is there for: each check has an encoder that breaks its rule."""

from __future__ import annotations

import base64
import inspect
import itertools
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import pytest
from consilience.tools import Encoder, Excerpt, Runner, encoder
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from consilience.core.errors import BadConfiguration, Stopped, Unobservable
from consilience.core.settings import Settings
from consilience.observations import (
    CharRange,
    Locator,
    Media,
    Modality,
    Observation,
    ObservationStore,
    Provenance,
    Source,
    ingest,
)
from consilience.testing import EncoderConformance
from consilience.testing.contents import bytes_in
from consilience.testing.hostile import HUGE_TYPES, broken, huge
from consilience.testing.places import misplaced, outside

TEXT = "One sentence is here. Another one is there. And the third is nowhere to be seen."


def sentences(excerpt: Excerpt, text: str) -> Iterator[Observation]:
    """A sound encoder's work, for the broken ones to spoil."""
    end = 0
    for part in text.split(". ")[:50]:
        start, end = end, min(len(text), end + len(part) + 2)
        if part.strip():
            where = Locator(chars=CharRange(start=start, end=end))
            yield excerpt.observe("sentence", {"words": len(part.split())}, part[:200], locator=where)
    if not text.strip():
        raise Unobservable("nothing is written in it")


@encoder(modality="text", kinds=("sentence",), version="1")
def sound(excerpt: Excerpt, *, least: Annotated[int, Field(ge=0, le=4)] = 1) -> Iterator[Observation]:
    """Tells sentences.

    Args:
        least: words that a sentence has.
    """
    yield from (o for o in sentences(excerpt, excerpt.text()) if int(str(o.value["words"])) >= least)


class TestSound(EncoderConformance):
    encoder = sound

    def source(self) -> Source:
        return TEXT


@encoder(modality="text", kinds=("sentence",), version="1")
def modest(excerpt: Excerpt) -> Iterator[Observation]:
    """Tells sentences, and what it could not make out; `unobserved` is declared by nobody."""
    yield from sentences(excerpt, excerpt.text())
    value = {"sought": ["sentence"], "reason": "it is in verse", "modality": "text"}
    yield excerpt.observe("unobserved", value, "no sentence could be observed: it is in verse")


class TestModest(EncoderConformance):
    encoder = modest

    def source(self) -> Source:
        return TEXT


@encoder(modality="image", kinds=("face",), version="1", biometric=True)
def biometric(excerpt: Excerpt) -> Iterator[Observation]:
    """Pretends to measure a body."""
    yield excerpt.observe("face", {"share": min(1.0, 10 / excerpt.image().width)}, "a face")


class TestBiometric(EncoderConformance):
    encoder = biometric

    def source(self) -> Source:
        from PIL import Image

        return Image.new("RGB", (64, 48), "white")


def spoiled(**changes: Any) -> Callable[[Excerpt], Iterator[Observation]]:
    """An encoder whose observations are changed behind their validation."""

    def encode(excerpt: Excerpt) -> Iterator[Observation]:
        """Tells sentences."""
        for observation in sentences(excerpt, excerpt.text()):
            told = {name: change(observation) if callable(change) else change for name, change in changes.items()}
            yield observation.model_copy(update=told)

    return encode


def other_kind(excerpt: Excerpt) -> Iterator[Observation]:
    """Tells what it did not declare."""
    yield excerpt.observe("verse", {}, "a verse")


def silent(excerpt: Excerpt) -> Iterator[Observation]:
    """Tells nothing, not even that there is nothing."""
    yield from ()


def blind(excerpt: Excerpt) -> Iterator[Observation]:
    """Never makes out anything."""
    raise Unobservable("it is too dark")
    yield


def beyond(excerpt: Excerpt) -> Iterator[Observation]:
    """Tells of characters that are not there."""
    end = len(excerpt.text()) + 1
    yield excerpt.observe("sentence", {}, "words", locator=Locator(chars=CharRange(start=0, end=end)))


def whole(excerpt: Excerpt) -> Iterator[Observation]:
    """Reads all of the text, whatever part it is handed."""
    yield from sentences(excerpt, excerpt.path.read_text())


def drawn(excerpt: Excerpt) -> Iterator[Observation]:
    """Tells something else each time."""
    yield excerpt.observe("sentence", {"luck": random.random()}, "a number")


def deaf(excerpt: Excerpt) -> Iterator[Observation]:
    """Goes on when it is told to stop."""
    observations = sentences(excerpt, excerpt.text())
    while True:
        try:
            yield next(observations)
        except (Stopped, StopIteration):
            return


def late(excerpt: Excerpt) -> Iterator[Observation]:
    """Never asks whether to go on, for it makes its observations by hand."""
    media = excerpt.media
    made = Provenance(media=media.id, modality="text", tool=excerpt.tool, version=excerpt.version)
    yield Observation(kind="sentence", value={}, text="a sentence", provenance=made)


def fragile(excerpt: Excerpt) -> Iterator[Observation]:
    """Stumbles over what is no UTF-8."""
    yield from sentences(excerpt, excerpt.path.read_text(encoding="utf-8"))


def endless(excerpt: Excerpt) -> Iterator[Observation]:
    """Puts all of the text into one line."""
    yield excerpt.observe("sentence", {}, excerpt.text() or "nothing")


def wrong_default(excerpt: Excerpt, *, least: int = "one") -> Iterator[Observation]:  # type: ignore[assignment]
    """Has a default that is not of its type."""
    yield from sentences(excerpt, excerpt.text())


def crowded(excerpt: Excerpt, *, media: str = "") -> Iterator[Observation]:
    """Has a parameter of the name that every tool's medium has."""
    yield from sentences(excerpt, excerpt.text())


def dividing(excerpt: Excerpt, *, most: int = 9) -> Iterator[Observation]:
    """Divides by what it is given.

    Args:
        most: words.
    """
    yield excerpt.observe("sentence", {"share": 1 / most}, "words")


def mute(excerpt: Excerpt) -> Iterator[Observation]:
    yield from sentences(excerpt, excerpt.text())


@dataclass(frozen=True)
class OneKey(Encoder):
    """An encoder whose cache key is always the same."""

    def cache_key(self, *about: Any) -> str:
        return "a key"


@dataclass(frozen=True)
class NoKey(Encoder):
    """An encoder whose cache key is never the same."""

    def cache_key(self, *about: Any) -> str:
        return str(random.random())


def as_encoder(function: Any, kind: type[Encoder] = Encoder, **options: Any) -> Encoder:
    made = encoder(modality="text", kinds=("sentence",), version="1", **options)(function)
    return kind(**{field.name: getattr(made, field.name) for field in fields(Encoder)})


def other_version(observation: Observation) -> Provenance:
    return observation.provenance.model_copy(update={"version": "0"})


PICTURE = base64.b64encode(random.Random(1).randbytes(400)).decode()

BREAKERS: list[tuple[str, Encoder]] = [
    ("observes_something_of_its_kinds", as_encoder(other_kind)),
    ("observes_something_of_its_kinds", as_encoder(silent)),
    ("observes_something_of_its_kinds", as_encoder(blind)),
    ("is_well_declared", as_encoder(whole, name="Sentences of a text")),
    ("is_well_declared", as_encoder(mute, name="text.mute")),
    ("locators_lie_in_the_medium", as_encoder(beyond)),
    ("locators_stay_in_the_part_that_was_looked_at", as_encoder(whole)),
    ("provenance_names_it", as_encoder(spoiled(provenance=other_version))),
    ("observations_survive_json", as_encoder(spoiled(value={"words": (1, 2)}))),
    ("observations_survive_json", as_encoder(spoiled(id="obs:0"))),
    ("text_is_one_line", as_encoder(spoiled(text="first\n[i1] text: second"))),
    ("text_is_one_line", as_encoder(spoiled(text="long " * 1000))),
    ("no_bytes_in_state", as_encoder(spoiled(value={"crop": {"png": [PICTURE]}}))),
    ("no_bytes_in_state", as_encoder(spoiled(text=f"a picture: {PICTURE}"))),
    ("second_run_comes_from_the_cache", as_encoder(whole, NoKey)),
    ("is_deterministic_or_says_so", as_encoder(drawn)),
    ("cache_key_follows_version_place_and_parameters", as_encoder(whole, OneKey)),
    ("cache_key_follows_version_place_and_parameters", as_encoder(whole, NoKey)),
    ("parameters_are_validated", as_encoder(wrong_default)),
    ("parameters_are_validated", as_encoder(crowded)),
    ("odd_numbers_are_refused_or_end_in_a_value[0]", as_encoder(dividing)),
    ("stops_when_it_is_cancelled", as_encoder(deaf)),
    ("stops_when_it_is_cancelled", as_encoder(late)),
    ("stops_in_the_middle", as_encoder(deaf)),
    ("broken_media_are_unobserved_or_a_clear_failure[something else]", as_encoder(fragile)),
    ("broken_media_are_unobserved_or_a_clear_failure[empty]", as_encoder(silent)),
    ("a_huge_medium_ends_in_a_value", as_encoder(endless)),
    ("is_a_langchain_tool", as_encoder(silent)),
]


async def check(name: str, broken_encoder: Encoder, folder: Path) -> None:
    """Runs one test of the suite over `broken_encoder`."""

    class Suite(EncoderConformance):
        encoder = broken_encoder

        def source(self) -> Source:
            return TEXT

    suite = Suite()
    own = suite.settings(folder)
    store = ObservationStore.open(own)
    bench = Runner(store, [broken_encoder], settings=own), ingest(TEXT, store)
    name, _, case = name.partition("[")
    test = getattr(suite, f"test_{name}")
    case = case.rstrip("]")
    wanted = {"bench": bench, "fault": case, "number": int(case) if case.isdecimal() else None}
    await test(**{key: wanted[key] for key in inspect.signature(test).parameters})


@pytest.mark.parametrize(("name", "breaker"), BREAKERS, ids=lambda it: it if isinstance(it, str) else it.summary[:30])
async def test_a_broken_encoder_fails_the_check_and_a_sound_one_does_not(
    name: str, breaker: Encoder, tmp_path: Path
) -> None:
    (tmp_path / "sound").mkdir()
    await check(name, sound, tmp_path / "sound")
    with pytest.raises((AssertionError, BadConfiguration, ValidationError, pytest.fail.Exception)):
        await check(name, breaker, tmp_path)


def test_every_check_is_checked() -> None:
    checks = {name.removeprefix("test_") for name in vars(EncoderConformance) if name.startswith("test_")}
    # That leave is asked for, and places are looked at, is the runner's work; no encoder can spoil it.
    spoiled_by_nobody = {"biometrics_need_leave", "foreign_places_are_refused"}
    assert checks - spoiled_by_nobody == {name.partition("[")[0] for name, _ in BREAKERS}


def test_declared_chance_is_allowed(tmp_path: Path) -> None:
    import asyncio

    asyncio.run(check("is_deterministic_or_says_so", as_encoder(drawn, deterministic=False), tmp_path))


# Where observations lie


def seen(fragment: str, kind: str = "thing", value: dict[str, Any] | None = None) -> Observation:
    made = Provenance(media=f"sha256:{'0' * 64}", modality="text", tool="t", version="1")
    return Observation(kind=kind, value=value or {}, text="x", locator=Locator.from_fragment(fragment), provenance=made)


def medium(modality: Modality, mime: str = "", **facts: Any) -> Media:
    return Media(id=f"sha256:{'0' * 64}", mime=mime, modality=modality, name="x", size=1, **facts)


WORDS = {"text": "x", "language": "en", "words": [{"text": "x", "start": 1, "end": 5}]}
TRACK = {"label": "x", "number": 1, "points": [{"t": 5, "x": 0, "y": 0, "w": 1, "h": 1}]}


@pytest.mark.parametrize(
    ("observation", "where", "right"),
    [
        (seen("t=0,4"), medium("audio", seconds=4), True),
        (seen("t=0,4.2"), medium("audio", seconds=4), False),
        (seen("t=0,4"), medium("image"), False),
        (seen("t=0,4"), medium("text", "text/vtt"), True),
        (seen("t=0,4"), medium("text", "text/plain", characters=9), False),
        (seen("t=0,4", "transcript", WORDS), medium("audio", seconds=4), False),
        (seen("", "track", TRACK), medium("video", seconds=4), False),
        (seen("", "shot", {"number": 1, "key_frame": 5}), medium("video", seconds=4), False),
        (seen("xywh=percent:0,0,10,10"), medium("image"), True),
        (seen("xywh=percent:0,0,10,10"), medium("audio"), False),
        (seen("page=3"), medium("document", pages=3), True),
        (seen("page=4"), medium("document", pages=3), False),
        (seen("page=1"), medium("image"), False),
        (seen("char=0,9"), medium("text", characters=9), True),
        (seen("char=0,10"), medium("text", characters=9), False),
        (seen("cell=2,3"), medium("table", "text/csv"), True),
        (seen("cell=3,*"), medium("table", "text/csv"), True),
        (seen("cell=4,*"), medium("table", "text/csv"), False),
        (seen("cell=*,4"), medium("table", "text/csv"), False),
    ],
    ids=str,
)
def test_misplaced(observation: Observation, where: Media, right: bool, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a;b;c\n1;2;3\n4;5;6\n")
    assert (misplaced(observation, where, path) is None) is right


@pytest.mark.parametrize(
    ("inner", "outer", "right"),
    [
        ("t=1,2", "t=1,2", True),
        ("t=0.5,2", "t=1,2", False),
        ("", "t=1,2", False),
        ("xywh=percent:10,10,5,5", "xywh=percent:10,10,10,10", True),
        ("xywh=percent:10,10,15,5", "xywh=percent:10,10,10,10", False),
        ("page=2", "page=2", True),
        ("page=1", "page=2", False),
        ("char=5,9", "char=5,10", True),
        ("char=4,9", "char=5,10", False),
        ("cell=1,1", "", True),
    ],
)
def test_outside(inner: str, outer: str, right: bool) -> None:
    assert (outside(Locator.from_fragment(inner), Locator.from_fragment(outer)) is None) is right


# Bytes in text


@settings(max_examples=30)
@given(st.integers(), st.integers(300, 2000))
def test_encoded_bytes_are_found_wherever_they_are(seed: int, size: int) -> None:
    content = random.Random(seed).randbytes(size)
    assert bytes_in({"deep": [{"down": base64.b64encode(content).decode()}]})
    assert bytes_in({"deep": [{"down": base64.encodebytes(content).decode()}]})
    assert bytes_in(f"see {content.hex()} there")


@pytest.mark.parametrize(
    "innocent",
    [
        "word " * 500,
        "Donaudampfschifffahrtsgesellschaftskapitänsmütze" * 3,
        "x" * 3000,
        "sha256:" + "0123456789abcdef" * 4,
        "https://example.org/a/very/long/path?with=parameters&and=more" * 2,
        "3.14159 2.71828 1.41421 " * 100,
        "東京都" * 500,
        [1.5] * 500,
        None,
    ],
)
def test_words_and_numbers_are_no_bytes(innocent: Any) -> None:
    assert bytes_in(innocent) is None


@pytest.mark.parametrize("guilty", [b"x", "data:image/png;base64,AAAA", "a\x00b", {PICTURE: 1}])
def test_bytes_are_bytes(guilty: Any) -> None:
    assert bytes_in(guilty)


# Hostile media


@pytest.mark.parametrize("modality", ["image", "audio", "video", "document", "text", "table"])
def test_huge_media_are_real_media(modality: Modality, tmp_path: Path) -> None:
    found = ingest(huge(modality), ObservationStore(tmp_path), name="huge.csv" if modality == "table" else None)
    assert (found.modality, found.mime) == (modality, HUGE_TYPES[modality])
    if modality == "document":
        assert found.pages == 200


@given(st.binary(min_size=30))
def test_broken_media_are_broken(content: bytes) -> None:
    variants = broken(content)
    assert variants.pop("empty") == b""
    assert content not in variants.values()
    assert len(variants) == len(set(variants.values())) or len(content) == 0
    assert all(a != b for a, b in itertools.pairwise(variants.values()))


def test_settings_are_of_a_store_of_their_own(tmp_path: Path) -> None:
    assert EncoderConformance().settings(tmp_path).store_dir.is_relative_to(tmp_path)
    assert EncoderConformance().settings(tmp_path).weights_dir.resolve() == Settings().weights_dir.resolve()


@pytest.mark.parametrize(
    ("options", "passes"),
    [([], False), (["-p", "no:asyncio"], False), (["--asyncio-mode=auto"], True)],
)
def test_where_nothing_awaits_the_tests_they_fail_and_name_the_cure(
    tmp_path: Path, options: list[str], passes: bool
) -> None:
    (tmp_path / "test_length.py").write_text(
        "from consilience import encoder\n"
        "from consilience.testing import EncoderConformance\n\n"
        "@encoder(modality='text', kinds=('length',), version='1')\n"
        "def length(excerpt):\n"
        "    'Tells how long a text is.'\n"
        "    yield excerpt.observe('length', {}, f'{len(excerpt.text())} characters')\n\n"
        "class TestLength(EncoderConformance):\n"
        "    encoder = length\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "well_declared", *options]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode == 0) == passes, ran.stdout
    assert ('set asyncio_mode = "auto"' in ran.stdout) != passes
    assert "not natively supported" not in ran.stdout
