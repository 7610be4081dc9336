"""Output tools: what an answer shows and plays."""

from consilience.tools.render.evidence import Shown, show
from consilience.tools.render.film import cut_film
from consilience.tools.render.picture import mark_region
from consilience.tools.render.sound import cut_clip

__all__ = ["Shown", "cut_clip", "cut_film", "mark_region", "show"]
