"""The pages: every link leads to a page and a heading that there are, and the index names every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
FOLDERS = ("agents", "tools", "graphs", "src", "benchmarks")


def prose(page: Path) -> str:
    """A page without its blocks of code, in which `#` begins a comment."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> list[str]:
    """What GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def links(page: Path) -> list[tuple[Path, str]]:
    """Page and anchor of each relative link."""
    targets = re.findall(r"\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)", prose(page))
    return [((page.parent / path).resolve() if path else page, anchor) for path, anchor in targets]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        assert path.exists()
        assert not anchor or anchor in anchors(path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_two_headings_of_a_page_have_the_same_anchor(page: Path) -> None:
    assert sorted(set(anchors(page))) == sorted(anchors(page))


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs/README.md"
    assert {path for path, _ in links(index)} == set((ROOT / "docs").glob("*.md")) - {index}


def test_pages_that_code_names_are_there() -> None:
    sources = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    named = {name for path in sources for name in re.findall(r"docs/[\w-]+\.md", path.read_text())}
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]
