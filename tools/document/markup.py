"""HTML as a reader sees it: blocks of text under headings, tables; nothing that is hidden (WHATWG HTML; CSS 2.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from consilience.tools.document.grids import Grid, GridCell

from consilience.core.errors import MissingExtra

__all__ = ["Block", "Page", "parse"]

_NEVER_SEEN = frozenset(
    "script style template noscript head title meta link iframe object embed svg math canvas datalist "
    "audio video source track param area map".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol optgroup option p pre search section "
    "select summary table tbody td tfoot th thead tr ul".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|opacity:0(?:\.0+)?(?:%|;|$)|font-size:[01](?:\.\d+)?(?:px|pt|em|%)?(?:;|$)"
    r"|(?:^|;)(?:text-indent|left|top|margin-left|margin-top):-\d{4,}|clip:rect\(0|clip-path:inset\((?:50|100)%"
    r"|(?:^|;)color:transparent|(?:max-)?(?:height|width):0(?:px)?;.*overflow:hidden"
    r"|overflow:hidden;.*(?:max-)?(?:height|width):0(?:px)?(?:;|$)"
)
_COLOUR = re.compile(r"(?:^|;)color:([^;!]+)")
_GROUND = re.compile(r"(?:^|;)background(?:-color)?:([^;!]+)")
_RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_MOST_RULES = 2000
_MOST_SPAN = 1000


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading of a level from 1 to 6, an item of a list, a picture's description, or a table."""

    text: str
    level: int | None = None
    grid: Grid | None = None
    marked: str = ""
    """What stands before it: `• `."""


class Page:
    """A parsed page; parts of it that nobody can see are found once, at the start."""

    def __init__(self, tree: Any, check: Callable[[], None]) -> None:
        self._tree, self._check = tree, check
        self._unseen = self._hidden_by_style()
        self.hidden = 0
        """Characters left out because nobody can see them; counted by `blocks`."""

    @property
    def title(self) -> str:
        """What the browser's window shows."""
        found = self._tree.find("title")
        return " ".join(found.get_text().split()) if found else ""

    def blocks(self) -> Iterator[Block]:
        """All that is seen, top to bottom; without recursion, as pages may be nested deeply."""
        text: list[str] = []
        block: Any = None
        stack: list[tuple[Any, Literal["enter", "leave"]]] = [(self._tree, "enter")]
        while stack:
            node, step = stack.pop()
            name = getattr(node, "name", None)
            if name is None:
                if type(node).__name__ == "NavigableString":
                    text.append(str(node))
                continue
            if step == "leave" or name in _BLOCKS or name == "br":
                yield from self._flushed(text, block)
                block = node.parent if step == "leave" else node
                if step == "leave" or name == "br":
                    block = node.parent if step == "leave" else block and node.parent
                    continue
            if self._skipped(node):
                continue
            if name == "table" and (grid := self._grid(node)):
                yield Block("", grid=grid)
                continue
            if name == "img" and (told := " ".join(str(node.get("alt") or "").split())):
                text.append(f" {told} ")
            if name in _BLOCKS:
                stack.append((node, "leave"))
            stack += [(child, "enter") for child in reversed(list(node.children))]
        yield from self._flushed(text, block)

    def _skipped(self, node: Any) -> bool:
        if node.name in _NEVER_SEEN:
            return True
        if id(node) in self._unseen or _hides(node):
            self.hidden += len(" ".join(node.get_text().split()))
            return True
        return False

    def _flushed(self, text: list[str], block: Any) -> Iterator[Block]:
        told = " ".join("".join(text).split())
        text.clear()
        if not told:
            return
        around = [block, *(block.parents if block is not None else ())][:12]
        names = [getattr(node, "name", None) for node in around]
        level = next((_HEADINGS[name] for name in names if name in _HEADINGS), None)
        item = next((name for name in names if name in ("li", "td", "table", "body")), "") == "li"
        yield Block(told, level=level, marked="• " if item and level is None else "")

    def _hidden_by_style(self) -> set[int]:
        """Elements that a rule of the page's own style sheets hides."""
        unseen: set[int] = set()
        sheets = " ".join(sheet.get_text() for sheet in self._tree.find_all("style"))
        rules = [rule for rule in _RULE.findall(_COMMENT.sub("", sheets)) if _HIDING.search(_squeezed(rule[1]))]
        for selector, _ in rules[:_MOST_RULES]:
            self._check()
            try:
                unseen |= {id(found) for found in self._tree.select(selector.strip())}
            except Exception:
                # The selector engine raises of its own kinds for what it does not know; browsers skip such rules, too.
                continue
        return unseen

    def _grid(self, table: Any) -> Grid | None:
        """The table's cells with what they span; None where it only lays the page out."""
        if table.get("role") in ("presentation", "none") or table.find("table"):
            return None
        rows = table.find_all("tr")
        cells: list[GridCell] = []
        taken: set[tuple[int, int]] = set()
        marked = 0
        for r, row in enumerate(rows):
            self._check()
            if self._gone(row, table):
                continue
            found = row.find_all(["td", "th"])
            heads = bool(found) and (row.parent.name == "thead" or all(cell.name == "th" for cell in found))
            marked += heads and marked == r
            column = 0
            for cell in found:
                while (r, column) in taken:
                    column += 1
                down = min(_span(cell, "rowspan"), len(rows) - r)
                across = _span(cell, "colspan")
                text = "" if self._gone(cell, row) else self._text(cell)
                cells.append(GridCell(text, r, column, down, across))
                taken.update((r + i, column + k) for i in range(1, down) for k in range(across))
                column += across
        grid = Grid(tuple(cells), marked=marked or None)
        short = [len(cell.text) for cell in cells if cell.text]
        data = marked or table.find("th") or (short and sum(short) / len(short) < 80)
        return grid if data and grid.width >= 2 and grid.height >= 2 and grid.told >= 2 else None

    def _gone(self, node: Any, top: Any) -> bool:
        """Whether it, or what is around it inside `top`, is hidden."""
        while node is not None and node is not top:
            if self._skipped(node):
                return True
            node = node.parent
        return False

    def _text(self, cell: Any) -> str:
        pieces: list[str] = []
        stack: list[Any] = [cell]
        while stack:
            node = stack.pop()
            name = getattr(node, "name", None)
            if name is None:
                if type(node).__name__ == "NavigableString":
                    pieces.append(str(node))
            elif node is cell or not self._skipped(node):
                pieces.append(" " if name in _BLOCKS or name == "br" else "")
                if name == "img":
                    pieces.append(str(node.get("alt") or ""))
                stack += [" ", *reversed(list(node.children))] if name in _BLOCKS else reversed(list(node.children))
        return " ".join("".join(pieces).split())


def parse(content: bytes | str, check: Callable[[], None]) -> Page:
    """The page as a browser would build it; scripts do not run and nothing is fetched.

    Raises:
        MissingExtra: the parser is not installed.
    """
    try:
        from bs4 import BeautifulSoup
    except ImportError as problem:
        raise MissingExtra("bs4", "document", "Reading HTML") from problem
    return Page(BeautifulSoup(content, "lxml"), check)


def _hides(node: Any) -> bool:
    """Whether its own attributes hide an element."""
    if node.has_attr("hidden") or (node.name == "input" and node.get("type") == "hidden"):
        return True
    style = _squeezed(str(node.get("style") or ""))
    if style and _HIDING.search(style):
        return True
    colour = _named(_COLOUR.search(style)) or _plain(str(node.get("color") or ""))
    if not colour:
        return False
    return colour == next((ground for around in (node, *node.parents) if (ground := _ground(around))), "#ffffff")


def _ground(node: Any) -> str:
    """The colour behind an element, where it says so itself."""
    style = _squeezed(str(node.get("style") or "")) if hasattr(node, "get") else ""
    return _named(_GROUND.search(style)) or _plain(str(node.get("bgcolor") or "") if hasattr(node, "get") else "")


def _named(found: re.Match[str] | None) -> str:
    return _plain(found[1]) if found else ""


def _plain(colour: str) -> str:
    """#rrggbb where it can be told."""
    colour = colour.strip().lower()
    if colour in ("white", "rgb(255,255,255)", "#fff"):
        return "#ffffff"
    if re.fullmatch("#[0-9a-f]{3}", colour):
        return "#" + "".join(2 * digit for digit in colour[1:])
    return {"black": "#000000", "#fefefe": "#ffffff"}.get(colour, colour)


def _squeezed(style: str) -> str:
    return re.sub(r"\s+", "", style.lower())


def _span(cell: Any, name: str) -> int:
    told = str(cell.get(name) or "1").strip()
    return max(1, min(int(told), _MOST_SPAN)) if told.isdigit() else 1
