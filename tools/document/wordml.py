"""The text of WordprocessingML (ECMA-376, part 1, 17) as a reader sees it: styles, lists, what is hidden or deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Styles", "W", "Writing", "blocks", "is_on", "setting"]

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
# Deleted, moved away, said twice; or a block of its own.
_SKIPPED = frozenset((f"{W}del", f"{W}moveFrom", _FALLBACK, f"{W}txbxContent", f"{W}rPr", f"{W}pPr"))
_WRAPPERS = frozenset((f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}moveTo", f"{W}customXml", f"{W}smartTag"))
_OFF = frozenset(("0", "false", "off", "none"))
_PALE = 0xF0
_LEAST_HALF_POINTS = 4
_DEEPEST = 50


def blocks(parent: Any, *tags: str) -> Iterator[Any]:
    """Children of these tags, also those that content controls and tracked insertions wrap."""
    for child in parent:
        if child.tag in tags:
            yield child
        elif child.tag in _WRAPPERS:
            yield from blocks(child, *tags)


def setting(properties: Any, name: str) -> str | None:
    """Value of a property, `""` where it is there without one; None where it is not there."""
    found = None if properties is None else properties.find(f"{W}{name}")
    return None if found is None else found.get(f"{W}val", "")


def is_on(properties: Any, name: str) -> bool:
    """Whether a toggle is there and on."""
    told = setting(properties, name)
    return told is not None and told.lower() not in _OFF


@dataclass(frozen=True)
class _Style:
    level: int | None
    hidden: bool
    shaded: bool
    listed: Any = None
    """The `w:numPr` element of a list's style."""


class Styles:
    """What paragraph, character and table styles mean for reading."""

    def __init__(self, styles: Any) -> None:
        """Takes the `w:styles` element."""
        self._elements = {e.get(f"{W}styleId"): e for e in styles.iter(f"{W}style")}
        self._read: dict[str, _Style] = {}

    def of(self, name: str | None) -> _Style:
        """The style of this id, with what it inherits."""
        if name is None or name not in self._elements:
            return _Style(None, hidden=False, shaded=False)
        if name not in self._read:
            self._read[name] = self._resolve(name)
        return self._read[name]

    def _resolve(self, name: str) -> _Style:
        level, hidden, shaded, listed = None, False, False, None
        seen: set[str] = set()
        current: str | None = name
        while current is not None and current in self._elements and current not in seen:
            seen.add(current)
            element = self._elements[current]
            level = _level(element) if level is None else level
            hidden = hidden or is_on(element.find(f"{W}rPr"), "vanish")
            shaded = shaded or any(_is_dark(shade) for shade in element.iter(f"{W}shd"))
            listed = element.find(f"{W}pPr/{W}numPr") if listed is None else listed
            current = setting(element, "basedOn")
        return _Style(level, hidden, shaded, listed)


def _level(style: Any) -> int | None:
    """0 for a title, 1 for the outermost heading, ...; None for other text."""
    name = (setting(style, "name") or "").lower()
    if name == "title":
        return 0
    if name.startswith("heading ") and name[8:].isdigit():
        return int(name[8:])
    outline = setting(style.find(f"{W}pPr"), "outlineLvl")
    return int(outline) + 1 if outline and outline.isdigit() and int(outline) < 9 else None


def _is_dark(shade: Any) -> bool:
    fill = shade.get(f"{W}fill", "auto")
    return fill != "auto" and not _is_pale(fill)


def _is_pale(colour: str) -> bool:
    try:
        return len(colour) == 6 and min(bytes.fromhex(colour)) >= _PALE
    except ValueError:
        return False


@dataclass
class Writing:
    """Reads paragraphs, and counts the characters that it leaves out because nobody can see them."""

    styles: Styles
    numbering: Any = None
    """The `w:numbering` element; None: no lists are numbered."""
    hidden: int = 0
    _counts: Counter[tuple[str, int]] = field(default_factory=Counter)

    def text(self, paragraph: Any) -> str:
        """What a paragraph shows, tabs and line breaks as spaces."""
        properties = paragraph.find(f"{W}pPr")
        hidden = self.styles.of(setting(properties, "pStyle")).hidden
        return " ".join("".join(self._pieces(paragraph, hidden, _DEEPEST)).split())

    def _pieces(self, parent: Any, hidden: bool, depth: int) -> Iterator[str]:
        for child in parent:
            if child.tag in _SKIPPED or depth <= 0 or not isinstance(child.tag, str):
                continue
            if child.tag == f"{W}t":
                if hidden:
                    self.hidden += len(child.text or "")
                else:
                    yield child.text or ""
            elif child.tag in (f"{W}tab", f"{W}br", f"{W}cr"):
                yield " "
            elif child.tag == f"{W}noBreakHyphen":
                yield "-"
            else:
                unseen = hidden or (child.tag == f"{W}r" and self._is_hidden(child))
                yield from self._pieces(child, unseen, depth - 1)

    def _is_hidden(self, run: Any) -> bool:
        """Marked as hidden, too small to read, or white on nothing."""
        properties = run.find(f"{W}rPr")
        if properties is None:
            return False
        if is_on(properties, "vanish") or self.styles.of(setting(properties, "rStyle")).hidden:
            return True
        size = setting(properties, "sz")
        if size and size.isdigit() and int(size) < _LEAST_HALF_POINTS:
            return True
        colour = properties.find(f"{W}color")
        if colour is None or not (
            _is_pale(colour.get(f"{W}val", "")) or colour.get(f"{W}themeColor") in ("background1", "light1")
        ):
            return False
        return not (setting(properties, "highlight") or self._stands_on_colour(run))

    def _stands_on_colour(self, run: Any) -> bool:
        """Whether the run, or anything around it, is shaded or filled."""
        for around in (run, *run.iterancestors()):
            for name in ("rPr", "pPr", "tcPr", "tblPr"):
                properties = around.find(f"{W}{name}")
                if properties is None:
                    continue
                shade = properties.find(f"{W}shd")
                style = self.styles.of(setting(properties, "tblStyle") or setting(properties, "pStyle"))
                if style.shaded or (shade is not None and _is_dark(shade)):
                    return True
            if around.tag == f"{W}txbxContent":
                return True  # a text box may be filled
        return False

    def level(self, paragraph: Any) -> int | None:
        """Of a heading; None for other text."""
        properties = paragraph.find(f"{W}pPr")
        own = setting(properties, "outlineLvl")
        if own and own.isdigit() and int(own) < 9:
            return int(own) + 1
        return self.styles.of(setting(properties, "pStyle")).level

    def mark(self, paragraph: Any) -> str:
        """What stands before an item of a list: `• ` or its number; empty for other text."""
        properties = paragraph.find(f"{W}pPr")
        numbered = None if properties is None else properties.find(f"{W}numPr")
        if numbered is None:
            numbered = self.styles.of(setting(properties, "pStyle")).listed
        if numbered is None:
            return ""
        list_id, level = setting(numbered, "numId") or "", int(setting(numbered, "ilvl") or 0)
        if list_id == "0":
            return ""
        self._counts[(list_id, level)] += 1
        for key in [key for key in self._counts if key[0] == list_id and key[1] > level]:
            del self._counts[key]
        return f"{self._counts[(list_id, level)]}. " if self._is_decimal(list_id, level) else "• "

    def _is_decimal(self, list_id: str, level: int) -> bool:
        if self.numbering is None:
            return False
        for number in self.numbering.iter(f"{W}num"):
            if number.get(f"{W}numId") == list_id:
                abstract = setting(number, "abstractNumId")
                for scheme in self.numbering.iter(f"{W}abstractNum"):
                    if scheme.get(f"{W}abstractNumId") == abstract:
                        levels = [e for e in scheme.iter(f"{W}lvl") if e.get(f"{W}ilvl") == str(level)]
                        return bool(levels) and setting(levels[0], "numFmt") == "decimal"
        return False
