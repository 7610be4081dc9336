"""For tests and demonstrations: stand-ins for language models, in process and behind HTTP, and a new PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consilience.testing.apart import ServedSoFar, ServerApart
    from consilience.testing.calls import ServerCall
    from consilience.testing.conformance import EncoderConformance
    from consilience.testing.faults import Fault, FaultKind, FaultSchedule
    from consilience.testing.postgres import PostgresServer
    from consilience.testing.replies import Scripted
    from consilience.testing.schedules import at_rate, either, on_calls, where
    from consilience.testing.script import ScriptExhausted
    from consilience.testing.scripted import ScriptedCall, ScriptedChatModel
    from consilience.testing.server import ModelServer
    from consilience.testing.stand_in import witness

__all__ = [
    "EncoderConformance",
    "Fault",
    "FaultKind",
    "FaultSchedule",
    "ModelServer",
    "PostgresServer",
    "ScriptExhausted",
    "Scripted",
    "ScriptedCall",
    "ScriptedChatModel",
    "ServedSoFar",
    "ServerApart",
    "ServerCall",
    "at_rate",
    "either",
    "on_calls",
    "where",
    "witness",
]

_HOME_OF = {
    "EncoderConformance": "conformance",
    "Fault": "faults",
    "FaultKind": "faults",
    "FaultSchedule": "faults",
    "ModelServer": "server",
    "PostgresServer": "postgres",
    "ScriptExhausted": "script",
    "Scripted": "replies",
    "ScriptedCall": "scripted",
    "ScriptedChatModel": "scripted",
    "ServedSoFar": "apart",
    "ServerApart": "apart",
    "ServerCall": "calls",
    "at_rate": "schedules",
    "either": "schedules",
    "on_calls": "schedules",
    "where": "schedules",
    "witness": "stand_in",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
