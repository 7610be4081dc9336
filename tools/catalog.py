"""The encoders there are."""

from __future__ import annotations

from consilience.core.settings import Settings
from consilience.tools.encoder import Encoder

__all__ = ["default_encoders"]


def default_encoders(settings: Settings | None = None) -> tuple[Encoder, ...]:
    """x."""
    return ()
