"""`consilience observe`: the record of some files on the terminal, or the records of whole folders in files."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from consilience.apps import failing
from consilience.apps.perceiving import PerceptionTale
from consilience.apps.record_table import record_table
from consilience.core.counted import counted
from consilience.core.errors import BadConfiguration, BadMedia, UnknownName, UnsupportedMedia
from consilience.core.settings import Settings
from consilience.observations import Failure, Media, ObservationStore, Record, ingest
from consilience.observations.interchange import to_jsonl
from consilience.tools import Encoder, Encoding, Runner, default_encoders, failed, observed

__all__ = ["observe_command"]

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Encode anew, whatever is remembered.")]

_EXIT_UNREADABLE = 3
_SUFFIX = ".jsonl"


@dataclass(frozen=True)
class _Observer:
    """A runner, and the encoders that were asked for by name."""

    runner: Runner
    named: frozenset[str]
    """Empty where none was named, and all ran that run by themselves."""

    def record(self, media: Sequence[Media], encodings: Sequence[Encoding]) -> Record:
        """What was observed, by those named alone; where they had nothing to read, why there was nothing."""
        found = observed(encodings)
        if self.named:
            own = tuple(o for o in found if o.provenance.tool in self.named)
            found = own or tuple(o for o in found if o.kind == "unobserved")
        return Record(media, found, failed(encodings))


@dataclass(frozen=True)
class _Job:
    """A file to observe, and where its record goes."""

    path: Path
    out: Path


@dataclass
class _Tally:
    """What became of the files of a batch."""

    done: int = 0
    observations: int = 0
    encoded: int = 0
    unsupported: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lost: list[Failure] = field(default_factory=list)


def observe_command(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Media, or folders of media.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for one record a file, as JSON lines; for a folder, `records`."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Encoders that work at a time; one a core.")] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="Observe with this encoder alone, even if it only runs when asked for; repeatable. "
            "What divides media into parts for it runs too, and is not told."
        ),
    ] = None,
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> int:
    """Shows what the encoders observe in files: the record alone, without a debate.

    Files that cannot be read are told, and the others observed. Of a folder, every file's record is written to a file
    of its own. A run that was interrupted goes on where it was when it is started again: what is encoded is remembered.
    Encoders that failed are told, stand in the record, and give the exit code; the rest goes on.

    Examples: consilience observe scene.png call.wav · consilience observe photos --out records --jobs 2
    """
    settings = Settings()
    chosen = _chosen(settings, encoder or [])
    with ObservationStore.open(settings) as store:
        runner = Runner(store, chosen, settings=settings, cache=not no_cache, jobs=jobs or os.cpu_count())
        observer = _Observer(runner, frozenset(encoder or ()))
        if out or any(path.is_dir() for path in paths):
            return asyncio.run(_observe_all(observer, paths, out or Path("records"), as_json=as_json))
        return asyncio.run(_observe_few(observer, paths, as_json=as_json))


def _chosen(settings: Settings, names: list[str]) -> list[Encoder]:
    """All encoders that run by themselves, or those named, which then do.

    Raises:
        UnknownName: there is no such encoder.
    """
    known = {encoder.name: encoder for encoder in default_encoders(settings)}
    for name in names:
        if name not in known:
            raise UnknownName("encoder", name, known)
    dividers = [encoder for encoder in known.values() if encoder.divides]
    return [*dividers, *(known[name].when_asked() for name in names)] if names else list(known.values())


async def _observe_few(observer: _Observer, paths: list[Path], *, as_json: bool) -> int:
    runner = observer.runner
    media, refused = await _taken(runner, paths)
    console = Console(stderr=True, quiet=as_json)
    tale = None if console.is_terminal else PerceptionTale(console)
    with _bar(as_json) as bar:
        task = bar.add_task("encoding", total=None, told="") if bar else None
        encodings = []
        async for encoding in runner.perceive(media):
            encodings.append(encoding)
            if bar and task is not None:
                told = f"last done: {encoding.encoder}"
                bar.update(task, completed=encoding.done, total=encoding.planned, told=told)
            if tale:
                tale.take(encoding)
    if tale:
        tale.close()
    record = observer.record(media, encodings)
    if as_json:
        print(json.dumps(_as_json(record) | ({"refused": refused} if refused else {}), ensure_ascii=False))
    else:
        console = Console()
        console.print(record_table(record))
        for line in [*refused, *failing.told(record.failures, media)]:
            console.print(line, style="red", markup=False)
    return _EXIT_UNREADABLE if refused else failing.exit_code(record.failures)


async def _taken(runner: Runner, paths: Sequence[Path]) -> tuple[list[Media], list[str]]:
    """The media that can be read, and what is wrong with the others.

    Raises:
        BadMedia: none can be read.
    """
    media: list[Media] = []
    problems: list[BadMedia] = []
    for path in paths:
        try:
            medium = await asyncio.to_thread(ingest, path, runner.store, limits=runner.settings.limits)
            runner.plan([medium])
            media.append(medium)
        except BadMedia as problem:
            problems.append(problem)
    if problems and not media:
        raise problems[0]
    return media, [str(problem) for problem in problems]


async def _observe_all(observer: _Observer, paths: list[Path], out: Path, *, as_json: bool) -> int:
    runner = observer.runner
    jobs = list(_jobs(paths, out))
    _check_apart(jobs)
    tally = _Tally()
    gate = asyncio.Semaphore(runner.jobs)
    # Files under way beyond the encoders' number only keep those busy.
    files = asyncio.Semaphore(2 * runner.jobs)
    with _bar(as_json) as bar:
        task = bar.add_task("observing", total=len(jobs), told="") if bar else None

        async def observe(job: _Job) -> None:
            async with files:
                await _observe_one(observer, job, tally, gate)
            tally.done += 1
            if bar and task is not None:
                _advance(bar, task, job, tally)

        await asyncio.gather(*(observe(job) for job in jobs))
    _report(tally, out, as_json=as_json)
    return _EXIT_UNREADABLE if tally.unreadable else failing.exit_code(tally.lost)


async def _observe_one(observer: _Observer, job: _Job, tally: _Tally, gate: asyncio.Semaphore) -> None:
    runner = observer.runner
    try:
        media = await asyncio.to_thread(ingest, job.path, runner.store, limits=runner.settings.limits)
        encodings = [encoding async for encoding in runner.perceive([media], gate=gate)]
    except UnsupportedMedia as problem:
        tally.unsupported.append(str(problem))
        return
    except BadMedia as problem:
        tally.unreadable.append(str(problem))
        return
    record = observer.record([media], encodings)
    await asyncio.to_thread(_write, job.out, record)
    tally.observations += len(record)
    tally.encoded += sum(1 for encoding in encodings if not encoding.cached and not encoding.failure)
    tally.lost += record.failures
    tally.failures += failing.told(record.failures, [media])


def _jobs(paths: Iterable[Path], out: Path) -> Iterator[_Job]:
    """Files and the files of folders, hidden ones and the records themselves left out."""
    place = out.resolve()
    for path in paths:
        if not path.is_dir():
            yield _Job(path, out / f"{path.name}{_SUFFIX}")
            continue
        for file in sorted(path.rglob("*")):
            inside = file.relative_to(path)
            hidden = any(part.startswith(".") for part in inside.parts)
            if file.is_file() and not hidden and not file.resolve().is_relative_to(place):
                yield _Job(file, out / inside.with_name(f"{file.name}{_SUFFIX}"))


def _check_apart(jobs: Iterable[_Job]) -> None:
    """Returns where each record has a file of its own.

    Raises:
        BadConfiguration: two media would write the same one.
    """
    taken: dict[Path, Path] = {}
    for job in jobs:
        other = taken.setdefault(job.out, job.path)
        if other.absolute() != job.path.absolute():
            raise BadConfiguration(
                f"The records of {other} and {job.path} would both be {job.out}.",
                cure="Observe the folders one by one, each with an --out of its own.",
            )


def _write(path: Path, record: Record) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text("".join(f"{line}\n" for line in to_jsonl(record)), encoding="utf-8")
    partial.replace(path)


def _bar(as_json: bool) -> Any:
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        return nullcontext()
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[told]}", markup=False),
    ]
    return Progress(*columns, console=console, transient=True)


def _advance(bar: Progress, task: TaskID, job: _Job, tally: _Tally) -> None:
    lost = len(tally.unreadable) + len(tally.failures)
    told = f"last done: {job.path.name}" + (f" · {lost} failures" if lost else "")
    bar.update(task, completed=tally.done, told=told)


def _report(tally: _Tally, out: Path, *, as_json: bool) -> None:
    records = tally.done - len(tally.unsupported) - len(tally.unreadable)
    if as_json:
        facts = {key: value for key, value in vars(tally).items() if key not in ("done", "lost")}
        print(json.dumps({"schema_version": 1, "out": str(out), "records": records, **facts}, ensure_ascii=False))
        return
    console = Console()
    told = f"{counted(records, 'record')} with {counted(tally.observations, 'observation')} in {out}"
    made = f"{counted(tally.encoded, 'encoding')} {'was' if tally.encoded == 1 else 'were'} made now."
    console.print(f"{told}; {made}", highlight=False, markup=False)
    for title, lines in (
        ("Of no supported type", tally.unsupported),
        ("Not readable", tally.unreadable),
        ("Encoders that failed", tally.failures),
    ):
        if lines:
            console.print(f"{title}: {len(lines)}", style="bold")
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False)


def _as_json(record: Record) -> dict[str, Any]:
    return {
        "schema_version": 2,
        "media": [media.model_dump(mode="json", exclude_none=True) for media in record.media],
        "observations": {label: observation.model_dump(mode="json") for label, observation in record},
        "failures": [failure.model_dump(mode="json") for failure in record.failures],
    }
