"""Encoders: from an excerpt of one medium to observations, and the runner that caches them."""

from consilience.tools.catalog import default_encoders
from consilience.tools.encoder import Encoder, encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.runner import Encoding, Runner

__all__ = ["Encoder", "Encoding", "Excerpt", "Runner", "default_encoders", "encoder"]
