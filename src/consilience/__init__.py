"""consilience: encoders observe media, experts debate over the record, a judge answers with checked citations.

The public names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consilience.agents import Claim, Expert, Turn, Verdict
    from consilience.core.errors import ConsilienceError
    from consilience.core.settings import Settings
    from consilience.graphs import (
        Asked,
        DebateState,
        Exchange,
        Looks,
        Panel,
        Protocol,
        Workbench,
        aask,
        ask,
        astream,
        debate,
    )
    from consilience.observations import Locator, Media, Observation, Record
    from consilience.tools import Encoder, Excerpt, encoder

__all__ = [
    "Asked",
    "Claim",
    "ConsilienceError",
    "DebateState",
    "Encoder",
    "Excerpt",
    "Exchange",
    "Expert",
    "Locator",
    "Looks",
    "Media",
    "Observation",
    "Panel",
    "Protocol",
    "Record",
    "Settings",
    "Turn",
    "Verdict",
    "Workbench",
    "aask",
    "ask",
    "astream",
    "debate",
    "encoder",
]

__version__ = "0.1.0"

_HOMES = {
    "consilience.agents": ("Claim", "Expert", "Turn", "Verdict"),
    "consilience.core.errors": ("ConsilienceError",),
    "consilience.core.settings": ("Settings",),
    "consilience.graphs": (
        *("Asked", "DebateState", "Exchange", "Looks", "Panel", "Protocol", "Workbench"),
        *("aask", "ask", "astream", "debate"),
    ),
    "consilience.observations": ("Locator", "Media", "Observation", "Record"),
    "consilience.tools": ("Encoder", "Excerpt", "encoder"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
