"""Faces in pictures: where they are, how far eyes and mouth are open, and where they look; never who they are."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.tools.bounds import Few
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.image.face_measures import eyes_open, gaze, mouth_open
from consilience.tools.image.face_mesh import DETECTION, IRIS, MESH, faces_in, mesh_of
from consilience.tools.image.placement import Frame

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Observation
from consilience.observations.kinds import Face

__all__ = ["faces"]

_LOOKS = {
    None: "",
    "ahead": ", looking at the viewer",
    "left": ", looking to the left of the picture",
    "right": ", looking to the right of the picture",
    "up": ", looking up",
    "down": ", looking down",
}
_MEASURABLE = 32
"""Pixels of a face's width below which eyes and lips are too coarse to measure."""


@encoder(
    modality="image",
    kinds=("face",),
    version="1",
    cost="light",
    extra="social",
    weights=(DETECTION, MESH, IRIS),
    biometric=True,
)
def faces(excerpt: Excerpt, *, most: Few = 20) -> Iterator[Observation]:
    """Finds faces, each with its box, how far eyes and mouth are open, and where it looks.

    Args:
        excerpt: a picture, or a region of one.
        most: faces, the largest first.
    """
    picture = excerpt.image()
    found = faces_in(excerpt, picture, most)
    if not found:
        raise Unobservable("no face is to be seen in the picture")
    frame = Frame.of(excerpt, picture)
    for face in found:
        box = face.found.box
        value = Face(share=frame.share(box))
        if box[2] - box[0] >= _MEASURABLE:
            mesh = mesh_of(excerpt, picture, face)
            measures = {"eyes_open": eyes_open(mesh), "mouth_open": mouth_open(mesh), "gaze": gaze(mesh)}
            value = value.model_copy(update=measures)
        yield excerpt.observe(
            "face",
            value.model_dump(mode="json"),
            f"a face at the {frame.place(box)}: {_told(value)}",
            locator=frame.locator(box),
            confidence=Confidence(value=face.found.score, kind="score"),
        )


def _told(face: Face) -> str:
    if face.eyes_open is None or face.mouth_open is None:
        return "too small to tell more"
    eyes = "eyes open" if face.eyes_open >= 0.16 else "eyes closed or cast down"
    mouth = ("mouth closed", "mouth slightly open", "mouth open")[(face.mouth_open >= 0.06) + (face.mouth_open >= 0.2)]
    return f"{eyes}, {mouth}{_LOOKS[face.gaze]}"
