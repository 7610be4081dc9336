"""An encoder as a package of its own: installed beside consilience, and allowed, it is found."""

from collections.abc import Iterator

from consilience import Excerpt, Observation, encoder

__all__ = ["warmth"]


@encoder(modality="image", kinds=("warmth",), version="1")
def warmth(excerpt: Excerpt, *, threshold: float = 1.2) -> Iterator[Observation]:
    """Tells whether a picture's colours are warm or cool.

    Args:
        threshold: mean red over mean blue, from which on a picture counts as warm.
    """
    red, _, blue = excerpt.image().resize((1, 1)).getpixel((0, 0))
    ratio = (red + 1) / (blue + 1)
    word = "warm" if ratio > threshold else "cool"
    yield excerpt.observe("warmth", {"red_to_blue": round(ratio, 2)}, f"the colours are {word}")
