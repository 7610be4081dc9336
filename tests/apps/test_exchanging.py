"""`consilience export` and `consilience import`, over real media and real files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consilience.core.settings import Settings
from consilience.observations import ObservationStore
from consilience.observations.interchange import from_jsonl

Run = Callable[..., Any]

TABLE = "dish,price\ntomato soup,4.50 euro\n"
NOTE = "Since Monday the tomato soup costs 5.20 euro.\n"


@pytest.fixture
def menu(tmp_path: Path) -> tuple[Path, Path]:
    table, note = tmp_path / "menu.csv", tmp_path / "note.txt"
    table.write_text(TABLE)
    note.write_text(NOTE)
    return table, note


def test_a_record_goes_out_and_comes_back(run: Run, menu: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out" / "menu.jsonl"
    assert run("export", *menu, "--format", "jsonl", "-o", out).code == 0
    record = from_jsonl(out.read_text().splitlines())
    assert [media.name for media in record.media] == ["menu.csv", "note.txt"]
    assert any(label == "c1" for label, _ in record), "conflicts are part of it"

    again = tmp_path / "again.jsonl"
    assert run("export", out, "--format", "jsonl", "-o", again).code == 0
    assert again.read_text() == out.read_text()


def test_import_takes_it_into_a_store_that_has_not_seen_the_media(
    run: Run, menu: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "menu.jsonl"
    run("export", *menu, "--format", "jsonl", "-o", out)
    record = from_jsonl(out.read_text().splitlines())
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(tmp_path / "other"))
    done = run("import", out)
    assert done.code == 0
    assert f"{len(record)} observations of 2 media, 2 of them new here." in done.out
    with ObservationStore.open(Settings()) as store:
        assert store.get([o.id for _, o in record]) == tuple(o for _, o in record)
        assert store.media(record.media[0].id) == record.media[0]
    assert "0 of them new here" in run("import", out).out


def test_import_does_not_overwrite_what_is_known_of_a_medium(run: Run, menu: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "menu.jsonl"
    run("export", *menu, "--format", "jsonl", "-o", out)
    out.write_text(out.read_text().replace('"name":"menu.csv"', '"name":"lie.csv"'))
    assert run("import", out).code == 0
    with ObservationStore.open(Settings()) as store:
        (table, _) = from_jsonl(out.read_text().splitlines()).media
        assert table.name == "lie.csv"
        assert store.media(table.id).name == "menu.csv"


def test_annotations_name_the_files_beside_them(run: Run, tmp_path: Path) -> None:
    note = tmp_path / "my note.txt"
    note.write_text(NOTE)
    page = json.loads(run("export", note, "--format", "annotations").out)
    assert page["type"] == "AnnotationPage"
    assert page["items"][0]["target"]["source"] == "my%20note.txt"


def test_a_record_is_exported_without_its_media(run: Run, menu: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "menu.jsonl"
    run("export", *menu, "--format", "jsonl", "-o", out)
    for path in menu:
        path.unlink()
    assert json.loads(run("export", out, "--format", "annotations").out)["type"] == "AnnotationPage"


def test_formats_that_would_have_nothing_in_them_are_refused(run: Run, menu: tuple[Path, Path], tmp_path: Path) -> None:
    for form, told in (("coco", "has a box in pixels"), ("webvtt", "Nothing is said")):
        refused = run("export", *menu, "--format", form, "-o", tmp_path / form)
        assert refused.code == 2
        assert told in refused.err
        assert not (tmp_path / form).exists()


SUBTITLES = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Ann>Hello & goodbye\n"


def test_subtitles_come_out_as_they_went_in(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "talk.vtt"
    path.write_text(SUBTITLES)
    done = run("export", path, "--format", "webvtt")
    assert "00:00:01.000 --> 00:00:02.000\n<v Ann>Hello &amp; goodbye</v>" in done.out


def test_subtitles_of_several_media_need_a_folder(run: Run, tmp_path: Path) -> None:
    paths = [tmp_path / "one" / "talk.vtt", tmp_path / "two" / "talk.vtt"]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        path.write_text(SUBTITLES.replace("Ann", f"Ann{number}"))
    refused = run("export", *paths, "--format", "webvtt")
    assert refused.code == 2
    assert "Name a folder" in refused.err
    assert run("export", *paths, "--format", "webvtt", "-o", tmp_path / "out").code == 0
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["talk-2.vtt", "talk.vtt"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("export", "note.txt", "--format", "webvtt"), 2, "Nothing is said"),
        (("import", "note.txt"), 3, "line 1 is no JSON"),
        (("import", "gone.jsonl"), 3, "cannot be read"),
        (("import", "latin.jsonl"), 3, "cannot be read"),
        (("export", "gone.png", "--format", "coco"), 3, "gone.png"),
        (("export", "note.txt", "--format", "xml"), 2, "xml"),
        (("export", "note.txt", "--format", "coco", "--offset", "note.txt"), 2, "--offset talk.wav=12.5"),
        (("export", "note.txt", "--format", "coco", "--offset", "talk.wav=1"), 2, "Unknown medium 'talk.wav'"),
        (("ask", "Why?", "note.txt", "--offset", "talk.wav=x"), 2, "is no offset"),
    ],
)
def test_bad_input_is_told(
    run: Run, menu: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, told: str
) -> None:
    folder = menu[0].parent
    (folder / "latin.jsonl").write_bytes("é\n".encode("latin-1"))
    monkeypatch.chdir(folder)
    done = run(*arguments)
    assert (done.code, told in done.err) == (code, True), done.err


def test_a_record_beyond_the_limit_is_refused(
    run: Run, menu: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "menu.jsonl"
    run("export", *menu, "--format", "jsonl", "-o", out)
    monkeypatch.setenv("CONSILIENCE_LIMIT_MEDIA_BYTES", "100")
    refused = run("import", out)
    assert (refused.code, "CONSILIENCE_LIMIT_MEDIA_BYTES" in refused.err) == (3, True)
