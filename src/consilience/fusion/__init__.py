"""Pure functions that combine what experts say."""

from consilience.fusion.positions import agrees, content_words, diverging, holds, plurality, same

__all__ = ["agrees", "content_words", "diverging", "holds", "plurality", "same"]
