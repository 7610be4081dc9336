"""The chat demo in a real browser: upload a picture and a recording, ask, see steps, answer and evidence."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from consilience.testing import ModelServer

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"
PATIENCE = 180_000
"""Milliseconds to wait for what takes its time: loading Gradio, the encoders' first run."""


@pytest.fixture
def address(server: ModelServer, place: Path, tmp_path: Path) -> Iterator[str]:
    """A served demo."""
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path / "gradio"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "consilience.apps.cli", "chat", "--port", "0"]
    log = tmp_path / "chat.log"
    with log.open("w") as errors:
        serving = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert serving.stdout is not None
    told = ""
    for line in serving.stdout:
        told += line
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            break
    else:
        pytest.fail(f"the demo did not start: {told}{log.read_text()}")
    yield found.group()
    serving.terminate()
    serving.communicate(timeout=60)


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """The demo, open in Debian's Chromium; it may ask this machine alone for anything."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser_path is None:
        pytest.fail("Chromium is missing: scripts/system-packages chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1200, "height": 1600})
        opened.set_default_timeout(PATIENCE)
        asked: list[str] = []
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(address)
        yield opened
        browser.close()
    foreign = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert asked
    assert not foreign


def ask(page: Page, question: str, *files: Path) -> None:
    if files:
        page.locator("input[type=file]").first.set_input_files(list(files))
        expect(page.locator(".thumbnail-item")).to_have_count(len(files), timeout=PATIENCE)
    box = page.locator("textarea").last
    box.fill(question)
    box.press("Enter")


@pytest.mark.timeout(600)
def test_a_question_about_a_picture_and_a_recording(page: Page, server: ModelServer, tmp_path: Path) -> None:
    ask(page, "Where does the book club meet?", MEDIA / "scene.png", MEDIA / "call.wav")
    # What stands within that step is folded away once it is done, and may be gone before one looks.
    expect(page.get_by_text("Perceiving scene.png, call.wav").first).to_be_attached(timeout=PATIENCE)
    for step in (re.compile(r"The record: \d+ observations"), "Openings, each blind to the others", "Judgement"):
        expect(page.get_by_text(step).first).to_be_visible(timeout=PATIENCE)
    evidence = page.locator(".evidence")
    expect(evidence).to_be_visible(timeout=PATIENCE)
    picture = evidence.locator("img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    expect(evidence).to_contain_text("CAFE AURORA")
    page.screenshot(path=tmp_path / "answer.png", full_page=True)

    before = len(server.calls)
    ask(page, "And when?")
    expect(page.locator(".evidence")).to_have_count(2, timeout=PATIENCE)
    later = [call.body["messages"][-1]["content"] for call in server.calls[before:]]
    assert later
    assert all("Where does the book club meet?" in prompt for prompt in later)
    assert any("[a1]" in prompt for prompt in later)


@pytest.mark.timeout(600)
def test_a_recording_can_be_played_and_a_bad_file_is_told(page: Page, tmp_path: Path) -> None:
    ask(page, "When does the book club meet?", MEDIA / "call.wav")
    player = page.locator(".evidence audio").first
    expect(player).to_be_attached(timeout=PATIENCE)
    page.wait_for_function("document.querySelector('.evidence audio').readyState >= 1", timeout=PATIENCE)
    assert 0 < player.evaluate("sound => sound.duration") < 7.9

    broken = tmp_path / "broken.txt"
    broken.write_bytes(b"")
    ask(page, "And this?", broken)
    expect(page.get_by_text("broken.txt: is empty (0 bytes)").first).to_be_visible(timeout=PATIENCE)
