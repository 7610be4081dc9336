"""`consilience export` and `consilience import`: records in the formats of other programs, and back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Annotated, Any
from urllib.parse import quote

import typer

from consilience.apps import failing
from consilience.apps.offsets import parse_offsets
from consilience.core.counted import counted
from consilience.core.errors import BadConfiguration, BadMedia
from consilience.core.settings import Settings
from consilience.fusion import check_offsets
from consilience.graphs import Workbench
from consilience.graphs.nodes import compared
from consilience.observations import ObservationStore, Record, ingest
from consilience.observations.interchange import (
    from_jsonl,
    spoken_media,
    to_annotations,
    to_coco,
    to_jsonl,
    to_webvtt,
)
from consilience.tools import failed, observed

__all__ = ["Format", "export_command", "import_command"]

_RECORD = ".jsonl"


class Format(StrEnum):
    """What a record can be written as."""

    jsonl = "jsonl"
    annotations = "annotations"
    webvtt = "webvtt"
    coco = "coco"


def export_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Media, or one exported record (.jsonl).")],
    form: Annotated[Format, typer.Option("--format", help="jsonl is without loss; the others keep what they can.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write; a folder for WebVTT of several media; default: print."),
    ] = None,
    offset: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SECONDS", help="When a medium starts on one clock: talk.wav=12.5. Repeatable."),
    ] = None,
) -> int:
    """Writes what is observed in files, conflicts between them included, in a format that other programs read.

    What was observed before comes out of the cache. Encoders that fail are told and give the exit code.

    Example: consilience export talk.mp4 --format webvtt -o talk.vtt
    """
    record, code = _record(files, parse_offsets(offset or []))
    if form is Format.webvtt:
        _write_captions(record, out)
        return code
    if form is Format.coco:
        _check_boxes(record)
    writers: dict[Format, Callable[[Record], str]] = {
        Format.jsonl: lambda record: "".join(f"{line}\n" for line in to_jsonl(record)),
        Format.annotations: lambda record: _json(to_annotations(record, _sources(record))),
        Format.coco: lambda record: _json(to_coco(record)),
    }
    _write(writers[form](record), out)
    return code


def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="A record that `consilience export` wrote.")],
) -> int:
    """Takes an exported record into the store: its observations, and what is known of its media, not their bytes."""
    settings = Settings()
    record = _read(file, settings)
    with ObservationStore.open(settings) as store:
        new = [medium for medium in record.media if not _known(store, medium.id)]
        for medium in new:
            store.put_media(medium)
        store.put([observation for _, observation in record])
    _tell(failing.told(record.failures, record.media))
    print(f"{counted(len(record), 'observation')} of {len(record.media)} media, {len(new)} of them new here.")
    return 0


def _known(store: ObservationStore, media_id: str) -> bool:
    try:
        store.media(media_id)
    except BadMedia:
        return False
    return True


def _record(files: list[Path], offsets: Mapping[str, float]) -> tuple[Record, int]:
    """What is to be exported, and the exit code of what failed now; what an earlier run lost is told only."""
    settings = Settings()
    if len(files) == 1 and files[0].suffix == _RECORD:
        record = _read(files[0], settings)
        _tell(failing.told(record.failures, record.media))
        return record, 0
    record, notes = asyncio.run(_observe(files, settings, offsets))
    _tell([*failing.told(record.failures, record.media), *notes])
    return record, failing.exit_code(record.failures)


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


async def _observe(
    files: list[Path], settings: Settings, offsets: Mapping[str, float]
) -> tuple[Record, tuple[str, ...]]:
    bench = Workbench(settings=settings)
    media = [await asyncio.to_thread(ingest, path, bench.store, limits=settings.limits) for path in files]
    check_offsets(offsets, media)
    encodings = [encoding async for encoding in bench.runner.perceive(media)]
    found = observed(encodings)
    joint, notes = await asyncio.to_thread(compared, Record(media, found), offsets)
    return Record(media, [*found, *joint], failed(encodings)), notes


def _read(file: Path, settings: Settings) -> Record:
    with _opened(file, settings) as lines:
        return from_jsonl(lines, file.name)


@contextmanager
def _opened(file: Path, settings: Settings) -> Iterator[Iterator[str]]:
    try:
        size = file.stat().st_size
        if size > settings.limits.media_bytes:
            raise BadMedia(
                file.name, f"it has {size} bytes.", cure="Raise CONSILIENCE_LIMIT_MEDIA_BYTES if you trust it."
            )
        with file.open(encoding="utf-8", newline="\n") as lines:
            yield lines
    except (OSError, UnicodeDecodeError) as problem:
        raise BadMedia(file.name, f"it cannot be read ({problem}).", cure="Give a record in UTF-8.") from problem


def _sources(record: Record) -> dict[str, str]:
    """Each medium as a file beside the page of annotations."""
    return {medium.id: quote(PurePath(medium.name).name) for medium in record.media}


def _write_captions(record: Record, out: Path | None) -> None:
    spoken = spoken_media(record)
    if not spoken:
        raise BadConfiguration("Nothing is said in these files.", cure="Export recordings or films to WebVTT.")
    if len(spoken) == 1:
        _write(to_webvtt(record), out)
        return
    if out is None or (out.exists() and not out.is_dir()):
        raise BadConfiguration(
            f"{len(spoken)} media have speech, and WebVTT is of one.", cure="Name a folder with --out."
        )
    names = {medium.id: medium.name for medium in record.media}
    out.mkdir(parents=True, exist_ok=True)
    for number, media_id in enumerate(spoken, 1):
        stem = PurePath(names.get(media_id, f"medium-{number}")).stem
        taken = (out / f"{stem}.vtt").exists()
        _write(to_webvtt(record, media_id), out / f"{stem}{f'-{number}' if taken else ''}.vtt")


def _check_boxes(record: Record) -> None:
    if not to_coco(record)["annotations"]:
        raise BadConfiguration(
            "Nothing in these files has a box in pixels.",
            cure="Export pictures or films in which something is recognised, or choose another format.",
        )


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8", newline="\n")
