"""What fusion found and does not tell, as an observation: a record says what is not in it."""

from __future__ import annotations

from consilience.observations import Observation, Provenance, Unobserved

__all__ = ["left_out"]


def left_out(kind: str, reason: str, like: Provenance, tool: str, version: str) -> Observation:
    """An `unobserved` of all media together, which stands with the medium of the first that was left out.

    Args:
        kind: `conflict` or `entity`.
        reason: how many, and why.
        like: whose medium and modality it has.
        tool: who left it out.
        version: of the tool.
    """
    value = Unobserved(sought=(kind,), reason=reason, modality=like.modality)
    made = Provenance(media=like.media, modality=like.modality, tool=tool, version=version)
    return Observation(kind="unobserved", value=value.model_dump(mode="json"), text=reason, provenance=made)
