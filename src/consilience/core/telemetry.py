"""Libraries that would report their use: told not to, before their first import."""

from __future__ import annotations

import os

__all__ = ["report_nothing"]

# onnxruntime queues reports in a database in the home folder unless told otherwise before its first import.
_SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
}


def report_nothing() -> None:
    """Switches off the reports of every library used here; call it before importing one of them.

    What the user has set stays. Importing consilience sets nothing: other programs in the process keep theirs until an
    encoder, or the chat demo, loads such a library.
    """
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
