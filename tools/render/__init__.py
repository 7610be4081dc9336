"""Output tools: what an answer shows and plays."""

from consilience.tools.render.evidence import Shown, show
from consilience.tools.render.film import cut_film
from consilience.tools.render.model import LONGEST_SOUND, jpeg_of, wav_of
from consilience.tools.render.picture import mark_region
from consilience.tools.render.sound import cut_clip

__all__ = ["LONGEST_SOUND", "Shown", "cut_clip", "cut_film", "jpeg_of", "mark_region", "show", "wav_of"]
