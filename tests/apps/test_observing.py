"""Observing folders: a record a file, what cannot be read, going on after an interruption."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from consilience.core.settings import Settings
from consilience.observations import ObservationStore
from consilience.observations.housekeeping import take_stock
from consilience.observations.soundness import verify

Run = Callable[..., Any]

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "media"
    (place / "deeper").mkdir(parents=True)
    for number in range(3):
        (place / f"note {number}.txt").write_text(f"Note {number}: the room is {number} doors down.")
    (place / "deeper" / "rooms.csv").write_text("club,room\nbook,upper room\n")
    (place / ".hidden.txt").write_text("not for you")
    return place


def records(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_a_folder_gives_a_record_a_file(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("observe", folder, "--out", out)
    assert ran.code == 0
    assert records(out) == ["deeper/rooms.csv.jsonl", *(f"note {number}.txt.jsonl" for number in range(3))]
    assert "Note 1: the room is 1 doors down." in (out / "note 1.txt.jsonl").read_text()
    assert "4 records" in ran.out
    assert ran.err == ""


def test_two_media_never_share_a_record(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "note.txt").write_text(f"This is note {name}.")
    ran = run("observe", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "out")
    assert ran.code == 2
    assert "would both be" in ran.err
    assert not (tmp_path / "out").exists()
    assert run("observe", tmp_path / "one", tmp_path / "one", "--out", tmp_path / "out").code == 0


def test_the_second_run_encodes_nothing(run: Run, folder: Path, tmp_path: Path) -> None:
    first = json.loads(run("observe", folder, "--out", tmp_path / "one", "--json").out)
    second = json.loads(run("observe", folder, "--out", tmp_path / "two", "--json").out)
    assert first["encoded"] > 0
    assert (second["encoded"], second["records"]) == (0, 4)
    for name in records(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_records_are_not_observed_themselves(run: Run, folder: Path) -> None:
    out = folder / "records"
    run("observe", folder, "--out", out)
    again = json.loads(run("observe", folder, "--out", out, "--json").out)
    assert again["records"] == 4


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "cut.png").write_bytes((MEDIA / "scene.png").read_bytes()[:2000])
    (folder / "program").write_bytes(b"\x7fELF" + bytes(100))
    ran = run("observe", folder, "--out", tmp_path / "out")
    assert ran.code == 3
    assert len(records(tmp_path / "out")) == 4
    assert "Not readable: 1" in ran.out
    assert "cut.png: is broken or cut off" in ran.out
    assert "Of no supported type: 1" in ran.out
    assert "program: its type is not supported" in ran.out


def test_of_several_files_those_that_can_be_read_are_observed(run: Run, tmp_path: Path) -> None:
    for name, content in (("a.txt", b"The club meets upstairs."), ("cut.png", b"\x89PNG\r\n\x1a\n"), ("none.txt", b"")):
        (tmp_path / name).write_bytes(content)
    ran = run("observe", *(tmp_path / name for name in ("cut.png", "none.txt", "a.txt")))
    assert ran.code == 3
    assert "The club meets upstairs." in ran.out
    assert all(f"{name}: is" in ran.out for name in ("cut.png", "none.txt"))
    told = json.loads(run("observe", tmp_path / "a.txt", tmp_path / "none.txt", "--json").out)
    assert [media["name"] for media in told["media"]] == ["a.txt"]
    assert len(told["refused"]) == 1


def test_the_same_bytes_under_two_names_are_both_observed(run: Run, tmp_path: Path) -> None:
    for name in ("x.txt", "x.csv"):
        (tmp_path / name).write_text("club,room\nbook,upper room\n")
    found = json.loads(run("observe", tmp_path / "x.txt", tmp_path / "x.csv", "--json").out)
    assert [media["name"] for media in found["media"]] == ["x.txt", "x.csv"]
    assert {"passage", "row"} <= {seen["kind"] for seen in found["observations"].values()}


def test_one_encoder_can_be_named(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "navy").save(tmp_path / "blue.png")
    found = json.loads(run("observe", tmp_path / "blue.png", "--encoder", "image.properties", "--json").out)
    assert [seen["kind"] for seen in found["observations"].values()] == ["properties"]


SAMPLES = Path(__file__).resolve().parents[2] / "src/consilience/apps/samples"


def test_an_encoder_that_is_named_is_alone_in_the_record_of_a_film(run: Run, tmp_path: Path) -> None:
    found = json.loads(run("observe", SAMPLES / "sample.mp4", "--encoder", "image.properties", "--json").out)
    assert {seen["kind"] for seen in found["observations"].values()} == {"properties"}
    ran = run("observe", SAMPLES / "sample.mp4", "--encoder", "image.properties", "--out", tmp_path / "out")
    assert ran.code == 0
    assert '"kind": "shot"' not in (tmp_path / "out" / "sample.mp4.jsonl").read_text()


def test_a_named_encoder_that_got_nothing_to_read_says_why(run: Run, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 48), "navy"))))
        container.mux(stream.encode())
    found = json.loads(run("observe", tmp_path / "silent.mp4", "--encoder", "audio.activity", "--json").out)
    (reason,) = found["observations"].values()
    assert (reason["kind"], reason["text"]) == ("unobserved", "there is no sound in it")


def test_cells_and_columns_show_where_they_are(run: Run) -> None:
    ran = run("observe", SAMPLES / "sample.csv", SAMPLES / "sample.docx")
    assert re.search(r"sample\.csv +│ column 1 +│ column", ran.out)
    assert re.search(r"sample\.docx │ row 1 column 2 characters \d+-\d+ +│ cell", ran.out)


def test_without_a_terminal_every_encoder_is_told_as_it_ends(run: Run) -> None:
    ran = run("observe", SAMPLES / "sample.mp4", "--encoder", "image.properties")
    lines = [line.strip() for line in ran.err.splitlines()]
    assert lines[0].startswith("video.s")
    assert any(line.startswith("image.properties on sample.mp4: 1 observation (1 part, ") for line in lines)
    assert any(line.startswith("image.properties on sample.mp4: 2 observations (2 parts, ") for line in lines)
    assert "video.shots" not in ran.out
    assert run("observe", SAMPLES / "sample.mp4", "--encoder", "image.properties", "--json").err == ""


def test_an_unknown_encoder_is_told_with_the_choices(run: Run, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    ran = run("observe", tmp_path / "note.txt", "--encoder", "image.propertys")
    assert ran.code == 2
    assert "image.properties" in ran.err


def test_a_killed_run_is_gone_on_with(place: Path, tmp_path: Path) -> None:
    media, out = tmp_path / "pictures", tmp_path / "out"
    media.mkdir()
    for number in range(60):
        Image.effect_noise((600, 400), 20 + number).save(media / f"{number:02}.png")
    command = [sys.executable, "-m", "consilience.apps.cli", "observe", str(media), "--out", str(out)]
    command += ["--encoder", "image.properties", "--jobs", "1", "--json"]
    environment = {**os.environ, "CONSILIENCE_CACHE_DIR": str(place)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as run:
        while run.poll() is None and not list(out.glob("*.jsonl")):
            pass
        run.send_signal(signal.SIGKILL)
    with ObservationStore.open(Settings(cache_dir=place)) as store:
        assert verify(store) == []
        kept = take_stock(store).encodings
    assert 0 < kept < 60
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert json.loads(told)["encoded"] == 60 - kept
    assert len(records(out)) == 60
