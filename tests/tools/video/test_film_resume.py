"""A perception that was killed goes on where it was."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from consilience.tools import Encoding, Runner, observed
from consilience.tools.catalog import catalog

from consilience.core.settings import Settings
from consilience.observations import ObservationStore, ingest

ENCODERS = ("video.shots", "video.sound", "video.tracks", "image.properties", "image.objects", "audio.activity")

# Between two encodings it waits to be told to go on, so that the test kills it at a known point.
PERCEIVE = """
import asyncio, sys
from pathlib import Path
from consilience.core.settings import Settings
from consilience.observations import ObservationStore, ingest
from consilience.tools import Runner
from consilience.tools.catalog import catalog

async def perceive(film, cache, encoders):
    settings = Settings(cache_dir=Path(cache))
    store = ObservationStore.open(settings)
    runner = Runner(store, [catalog(settings).encoder(name) for name in encoders], settings=settings, jobs=1)
    async for encoding in runner.perceive([ingest(Path(film), store)]):
        print(encoding.encoder, encoding.where.to_fragment(), flush=True)
        sys.stdin.readline()

asyncio.run(perceive(sys.argv[1], sys.argv[2], sys.argv[3:]))
"""


def perceived(film: Path, cache: Path) -> list[Encoding]:
    settings = Settings(cache_dir=cache)

    async def collect(store: ObservationStore) -> list[Encoding]:
        encoders = [catalog(settings).encoder(name) for name in ENCODERS]
        runner = Runner(store, encoders, settings=settings)
        return [encoding async for encoding in runner.perceive([ingest(film, store)])]

    with ObservationStore.open(settings) as store:
        return asyncio.run(collect(store))


def cache_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "weights").symlink_to(Settings().weights_dir)
    return folder


@pytest.mark.parametrize("finished", [2, 7])
def test_only_the_rest_is_encoded_after_a_kill(finished: int, three_shots: Path, tmp_path: Path) -> None:
    cache = cache_in(tmp_path / "killed")
    command = [sys.executable, "-c", PERCEIVE, str(three_shots), str(cache), *ENCODERS]
    done: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        while len(done) < finished:
            line = process.stdout.readline()
            assert line, "it ended by itself"
            done.append(line.strip())
            if len(done) < finished:
                process.stdin.write("\n")
                process.stdin.flush()
        process.kill()
        assert process.wait() == -signal.SIGKILL

    again = perceived(three_shots, cache)
    told = {f"{e.encoder} {e.where.to_fragment()}".strip(): e.cached for e in again}
    assert all(told[line] for line in done)
    # One more may have been finished when the kill came.
    assert sum(told.values()) in (finished, finished + 1)
    assert not [e.failure for e in again if e.failure]
    whole = perceived(three_shots, cache_in(tmp_path / "whole"))
    assert len(whole) == len(again)
    assert observed(again) == observed(whole)
    assert all(e.cached for e in perceived(three_shots, cache))
