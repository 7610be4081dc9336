"""No encoder of the catalogue is without its class of the conformance suite."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from consilience.tools import default_encoders
from consilience.tools.audio.stretches import stretches
from consilience.tools.audio.transcription import transcription
from consilience.tools.image.describe import describe

from consilience.core.settings import Settings
from consilience.testing import EncoderConformance

# `audio.whisper` alone has none: it needs PyTorch, an extra that the tests do not install.
EXEMPT = {"audio.whisper"}


def conforming(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Names of the encoders that some module of tests runs the suite over."""
    for path in sorted(folder.rglob("test_*.py")):
        if path == Path(__file__) or "EncoderConformance" not in path.read_text():
            continue
        name = f"suite_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, EncoderConformance) and kind.__name__.startswith("Test"):
                yield kind.encoder.name


def test_every_encoder_has_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    every = {encoder.name for encoder in (*default_encoders(Settings()), transcription, describe, stretches)}
    assert every - set(conforming(Path(__file__).parent, monkeypatch)) - EXEMPT == set()
