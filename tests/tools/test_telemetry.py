"""Nothing is reported to anybody: libraries that count their use leave no trace in the home folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from consilience.core.settings import Settings
from consilience.core.telemetry import report_nothing

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"

_READ = """
import sys
from consilience import Settings
from consilience.core.background import run_blocking
from consilience.observations import ObservationStore, ingest
from consilience.tools import Runner, default_encoders

settings = Settings()
store = ObservationStore.open(settings)
runner = Runner(store, default_encoders(settings), settings=settings)
for path, name in (("scene.png", "image.text"), ("call.wav", "audio.speech"), ("call.wav", "audio.sounds")):
    encoding = run_blocking(runner.encode(ingest(f"{sys.argv[1]}/{path}", store), runner.encoders[name]))
    assert encoding.observations and not encoding.failure, encoding
"""


def test_encoders_leave_nothing_in_the_home_folder(tmp_path: Path) -> None:
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    cache.mkdir()
    (cache / "weights").symlink_to(Settings().weights_dir)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG_", "ORT_", "HF_")) and name != "GRADIO_ANALYTICS_ENABLED"
    }
    environment = {**inherited, "HOME": str(home), "CONSILIENCE_CACHE_DIR": str(cache)}
    subprocess.run([sys.executable, "-c", _READ, str(MEDIA)], env=environment, check=True)
    assert list(home.rglob("*")) == []


def test_what_the_user_has_set_stays() -> None:
    before = dict(os.environ)
    try:
        os.environ["ORT_DISABLE_TELEMETRY"] = "0"
        report_nothing()
        assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"
        assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    finally:
        os.environ.clear()
        os.environ.update(before)
