"""Encoders: from an excerpt of one medium to observations, and the runner that caches them."""

from consilience.tools.catalog import Catalog, catalog, default_encoders
from consilience.tools.encoder import Encoder, encoder
from consilience.tools.estimate import estimated_seconds
from consilience.tools.excerpt import Excerpt
from consilience.tools.runner import Encoding, Runner, failed, observed

__all__ = [
    "Catalog",
    "Encoder",
    "Encoding",
    "Excerpt",
    "Runner",
    "catalog",
    "default_encoders",
    "encoder",
    "estimated_seconds",
    "failed",
    "observed",
]
