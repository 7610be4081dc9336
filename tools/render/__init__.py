"""Output tools: what an answer shows and plays."""

from consilience.tools.render.picture import mark_region
from consilience.tools.render.sound import cut_clip

__all__ = ["cut_clip", "mark_region"]
