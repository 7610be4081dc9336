"""`consilience cache`: what the store holds, and keeping it small, sound and discreet."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consilience.core.counted import counted
from consilience.core.errors import BadConfiguration
from consilience.core.settings import Settings
from consilience.observations import ObservationStore
from consilience.observations.housekeeping import collect, find_media, forget, take_stock
from consilience.observations.soundness import verify

__all__ = ["cache_app", "parse_size"]

cache_app = typer.Typer(
    no_args_is_help=True,
    help="Media and observations that are remembered, so that a medium is encoded once. Weights are not counted here: "
    "see `consilience weights`.",
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else.")]

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_EXIT_DAMAGED = 1


def parse_size(text: str) -> int:
    """Bytes of `500MB`, `2G`, `1.5 GB` or a bare number; the units are powers of ten.

    Raises:
        BadConfiguration: it is no size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", text.upper())
    if not match:
        raise BadConfiguration(f"{text!r} is no size.", cure="Write it as 500MB or 2GB.")
    return round(float(match[1]) * _UNITS[match[2]])


@cache_app.command("stats")
def stats_command(as_json: AsJson = False) -> int:
    """Shows how many media, observations and encodings there are, and the room they take."""
    settings = Settings()
    with ObservationStore.open(settings) as store:
        stock = take_stock(store)
    if as_json:
        print(json.dumps({**asdict(stock), "bytes": stock.bytes, "folder": str(settings.store_dir)}))
        return 0
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("folder", escape(str(settings.store_dir)))
    table.add_row("media", _counted(stock.media, stock.by_modality))
    table.add_row("observations", escape(_counted(stock.observations, stock.by_kind)))
    table.add_row("encodings", f"{stock.encodings:,}")
    strays = f", of which {_size(stock.stray_bytes)} are leftovers of killed processes" if stock.stray_bytes else ""
    table.add_row("room", f"{_size(stock.bytes)}{strays}")
    Console().print(table)
    return 0


@cache_app.command("gc")
def collect_command(
    max_size: Annotated[str, typer.Option(help="The cache may take so much afterwards: 500MB, 2GB, 0.")],
    as_json: AsJson = False,
) -> int:
    """Removes the media that were not used for longest, with all that came from them, and leftovers.

    What was used within the last ten minutes stays. What is removed is encoded anew when it is asked about again.
    """
    with ObservationStore.open() as store:
        wanted = parse_size(max_size)
        done = collect(store, wanted)
    if as_json:
        print(json.dumps(asdict(done)))
    else:
        stays = " What was used within the last ten minutes, and the index, stay." if done.left > wanted else ""
        print(f"Removed {counted(done.blobs, 'file')}, {_size(done.freed)}; {_size(done.left)} are left.{stays}")
    return 0


@cache_app.command("verify")
def verify_command(
    repair: Annotated[bool, typer.Option(help="Remove what is broken: the next run makes it anew.")] = False,
    as_json: AsJson = False,
) -> int:
    """Hashes all bytes anew and reads every row; tells what is broken. Exit code 1 when something is and stays so."""
    with ObservationStore.open() as store:
        damage = verify(store, repair=repair)
    if as_json:
        print(json.dumps({"damage": [asdict(found) for found in damage], "repaired": repair}))
    else:
        for found in damage:
            print(f"{found.what} {found.key}: {found.problem}")
        cure = " They were removed." if repair else " Run: consilience cache verify --repair"
        print(f"{len(damage)} broken.{cure}" if damage else "All is sound.")
    return _EXIT_DAMAGED if damage and not repair else 0


@cache_app.command("forget")
def forget_command(
    media: Annotated[
        list[str], typer.Argument(metavar="MEDIA...", help="Name, id (or its first digits), or the file itself.")
    ],
    as_json: AsJson = False,
) -> int:
    """Deletes media and all that came from them: bytes, observations, conflicts, crops and clips.

    Afterwards nothing of them can be read out of the cache. Saved conversations (checkpoints) are not touched.
    """
    with ObservationStore.open() as store:
        gone = [forget(store, medium) for medium in [find_media(store, wanted) for wanted in media]]
    if as_json:
        print(json.dumps({"forgotten": [{**asdict(g), "media": g.media.model_dump(mode="json")} for g in gone]}))
        return 0
    for g in gone:
        told = ", ".join(
            counted(number, noun)
            for number, noun in ((g.observations, "observation"), (g.encodings, "encoding"), (g.blobs, "file"))
        )
        print(f"Forgot {g.media.describe()}: {told}.")
    return 0


def _counted(total: int, parts: dict[str, int]) -> str:
    told = ", ".join(f"{count:,} {name}" for name, count in parts.items())
    return f"{total:,}" + (f" ({told})" if told else "")


def _size(number: int) -> str:
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
