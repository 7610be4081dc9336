"""Real voices for the tests: Debian's packages of spoken prompts, put together by `benchmarks/voices.py`."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from consilience.tools import Encoder, Encoding, Runner

from consilience.core.settings import Settings
from consilience.observations import ObservationStore, Source, ingest

ROOT = Path(__file__).resolve().parents[3]

Observe = Callable[..., Any]


@pytest.fixture(scope="session")
def voices() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_voices", ROOT / "benchmarks/voices.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmark_voices"] = module
    spec.loader.exec_module(module)
    if not all(any(module.ROOT.glob(pattern)) for pattern in module.VOICES.values()):
        pytest.fail("the voices are not here: run scripts/system-packages voices")
    return module


@pytest.fixture
def observe(tmp_path: Path) -> Observe:
    """Encodes one source with one encoder, in a store of its own beside the machine's weights."""
    (tmp_path / "weights").symlink_to(Settings().weights_dir)

    async def observed(encoder: Encoder, source: Source, **options: Any) -> Encoding:
        settings = Settings(cache_dir=tmp_path, biometrics=True, **options.pop("settings", {}))
        with ObservationStore.open(settings) as store:
            media = ingest(source, store)
            return await Runner(store, [encoder], settings=settings).encode(media, encoder, **options)

    return observed
