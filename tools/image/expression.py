"""What faces look like: a small Xception (Arriaga et al. 2017) trained on FER-2013; weak evidence of any feeling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from consilience.tools.bounds import Few, Share
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.image.blaze import Found
from consilience.tools.image.face_mesh import DETECTION, MESH, face_roi, faces_in
from consilience.tools.image.litert import Network, network
from consilience.tools.image.placement import Frame

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Observation

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["expression"]

_WEIGHTS = "expression"
_LABELS = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
_MARGINS = (1.0, 1.15, 1.3)
_READABLE = 24
"""Pixels of a face's width below which the network only guesses."""


@encoder(
    modality="image",
    kinds=("expression",),
    version="1",
    cost="light",
    extra="social",
    weights=(_WEIGHTS, DETECTION, MESH),
    biometric=True,
)
def expression(excerpt: Excerpt, *, min_score: Share = 0.5, most: Few = 20) -> Iterator[Observation]:
    """Says what faces look like (happy, neutral, ...); `unclear` where no look reaches `min_score`.

    Args:
        excerpt: a picture, or a region of one.
        min_score: 0 to 1; a face whose likeliest look scores less is `unclear`.
        most: faces, the largest first.
    """
    picture = excerpt.image()
    found = [face.found for face in faces_in(excerpt, picture, most)]
    readable = [face for face in found if face.box[2] - face.box[0] >= _READABLE]
    if not readable:
        raise Unobservable("its faces are too small to read" if found else "no face is to be seen in the picture")
    model = network(
        excerpt.weights(_WEIGHTS) / "emotion_model_quantized.tflite", excerpt.settings.threads, extra="social"
    )
    frame, grey = Frame.of(excerpt, picture), picture.convert("L")
    for face in readable:
        scores = dict(zip(_LABELS, (round(float(score), 4) for score in _scores(model, grey, face)), strict=True))
        likeliest = max(scores, key=lambda label: scores[label])
        label = likeliest if scores[likeliest] >= min_score else "unclear"
        yield excerpt.observe(
            "expression",
            {"label": label, "scores": scores},
            f"a face at the {frame.place(face.box)} looks {label} (weak evidence of a feeling)",
            locator=frame.locator(face.box),
            confidence=Confidence(value=scores[likeliest], kind="score"),
        )


def _scores(model: Network, grey: Image.Image, face: Found) -> Any:
    """Mean scores, shape (7,), over wider and narrower crops and their mirror images: one alone swings widely."""
    import numpy as np

    crops = [face_roi(face, margin).pixels(grey, model.side) * 2 - 1 for margin in _MARGINS]
    crops += [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
    return np.mean([model(crop)[0] for crop in crops], axis=0)
