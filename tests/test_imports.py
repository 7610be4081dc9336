"""What `import consilience` costs: no heavy package, until something of it is used."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ["av", "cv2", "faster_whisper", "gradio", "langgraph", "onnxruntime", "openai", "pandas", "rapidocr", "torch"]


def modules_after(statement: str) -> set[str]:
    """Top-level modules loaded by a fresh interpreter that runs `statement`."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_is_light() -> None:
    assert not modules_after("import consilience") & set(HEAVY)


def test_the_command_line_starts_light() -> None:
    assert not modules_after("import consilience.apps.cli") & (set(HEAVY) - {"langgraph"})


def test_the_whole_interface_needs_no_encoder() -> None:
    loaded = modules_after("from consilience import *")
    assert "langgraph" in loaded
    assert not loaded & (set(HEAVY) - {"langgraph"})
