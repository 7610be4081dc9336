"""Measuring answers against known ones."""

from consilience.evaluation.scenes import Scene, load_scenes

__all__ = ["Scene", "load_scenes"]
