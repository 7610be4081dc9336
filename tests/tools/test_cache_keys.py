"""What a cache key follows: whatever the observations depend on, and nothing besides."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consilience.tools import Encoder, Excerpt, Runner, default_encoders, encoder, observed
from consilience.tools.document.word import word
from consilience.tools.encoder import _version_of
from consilience.tools.image.describe import describe
from consilience.tools.image.faces import faces
from consilience.tools.image.objects import objects
from consilience.tools.image.properties import properties
from consilience.tools.remote import remote_name
from consilience.tools.video.tracks import face_tracks, tracks
from PIL import Image

from consilience.core.settings import Limits, Settings
from consilience.observations import Locator, Media, Observation, ObservationStore, Unobserved, ingest
from consilience.testing import ModelServer


def within(folder: Path, **limits: Any) -> Settings:
    return Settings(cache_dir=folder, limits=Limits(**limits))


def key_of(of: Encoder, media: Media, settings: Settings) -> str:
    return of.cache_key(media, Locator(), of.bind(), settings)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObservationStore]:
    with ObservationStore.open(Settings(cache_dir=tmp_path)) as opened:
        yield opened


@pytest.fixture
def report(store: ObservationStore) -> Media:
    """A text document with a picture of 100 x 100 pixels."""
    docx = pytest.importorskip("docx")
    picture, written = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (100, 100), "red").save(picture, format="PNG")
    document = docx.Document()
    document.add_paragraph("The picture shows a red square.")
    document.add_picture(picture)
    document.save(written)
    return ingest(written.getvalue(), store, name="report.docx")


async def test_what_a_limit_kept_from_being_read_is_read_when_it_is_raised(
    store: ObservationStore, report: Media, tmp_path: Path
) -> None:
    async def seen(settings: Settings) -> list[Observation]:
        runner = Runner(store, [word, properties], settings=settings)
        found = observed([encoding async for encoding in runner.perceive([report])])
        return [o for o in found if o.provenance.tool == properties.name]

    (refused,) = await seen(within(tmp_path, pixels=1000))
    assert "too many pixels" in refused.as_(Unobserved).reason
    assert [o.kind for o in await seen(within(tmp_path))] == ["properties"]
    assert await seen(within(tmp_path, pixels=1000)) == [refused]


def test_only_limits_that_bear_on_a_medium_are_in_its_key(store: ObservationStore, report: Media) -> None:
    note, usual = ingest("A note.", store), Settings(cache_dir=store.root.parent)
    for changed in ({"pixels": 1000}, {"pages": 1}, {"unpacked_bytes": 1 << 20}):
        other = within(store.root.parent, **changed)
        assert key_of(word, report, other) != key_of(word, report, usual)
        assert key_of(plain, note, other) == key_of(plain, note, usual)
    for changed in ({"encoding_seconds": 1}, {"audio_seconds": 1}):
        assert key_of(word, report, within(store.root.parent, **changed)) == key_of(word, report, usual)


@encoder(modality="text", kinds=("seen",), version="1", packages=("toyweights",))
def plain(excerpt: Excerpt) -> Iterator[Observation]:
    """Sees the text."""
    yield excerpt.observe("seen", {}, "text")


def test_a_package_that_brings_weights_is_in_key_and_provenance(
    store: ObservationStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media, settings = ingest("A note.", store), Settings(cache_dir=tmp_path)
    about = tmp_path / "site" / "toyweights-1.dist-info" / "METADATA"
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    keys = {key_of(plain, media, settings)}
    assert plain.model(settings) == "toyweights (not installed)"
    about.parent.mkdir(parents=True)
    for version in ("1.0", "1.1"):
        about.write_text(f"Metadata-Version: 2.1\nName: toyweights\nVersion: {version}\n")
        _version_of.cache_clear()
        assert plain.model(settings) == f"toyweights {version}"
        keys.add(key_of(plain, media, settings))
    assert len(keys) == 3


def test_packages_are_called_what_they_are_called() -> None:
    """In a full installation, none that an encoder names is missing."""
    named = [e for e in default_encoders(Settings()) if e.packages]
    assert {"image.text", "audio.activity", "audio.speech", "text.language"} <= {e.name for e in named}
    assert not [e.name for e in named if "not installed" in (e.model(Settings()) or "")]


def test_what_looks_through_another_encoder_follows_its_version() -> None:
    assert tracks.version.endswith(f"+{objects.version}")
    assert face_tracks.version.endswith(f"+{faces.version}")


async def test_another_server_is_another_model(store: ObservationStore, tmp_path: Path) -> None:
    media = ingest(Image.new("RGB", (60, 60), "red"), store)
    told = []
    for words in ("A red square.", "Nothing but red."):
        with ModelServer([words]) as server:
            chosen = Settings(cache_dir=tmp_path, vision_model="seer", base_url=server.base_url, api_key="k")
            runner = Runner(store, [describe], settings=chosen)
            for _ in range(2):
                told += [o.text for o in (await runner.encode(media, describe)).observations]
    assert told == ["A red square."] * 2 + ["Nothing but red."] * 2


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://127.0.0.1:8000/v1/", "seer at http://127.0.0.1:8000/v1"),
        ("https://me:secret@host/v1?key=secret", "seer at https://host/v1"),
        (None, "seer at https://api.openai.com/v1"),
    ],
)
def test_servers_are_named_without_secrets(address: str | None, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert remote_name("seer", Settings(base_url=address)) == name
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere/v1")
    assert (remote_name("seer", Settings(base_url=address)) == name) is bool(address)
