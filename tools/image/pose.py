"""People's poses: where their joints are, and what posture that makes."""

from __future__ import annotations

from collections.abc import Iterator

from consilience.tools.bounds import Few, Share
from consilience.tools.encoder import encoder
from consilience.tools.excerpt import Excerpt
from consilience.tools.image.face_mesh import DETECTION
from consilience.tools.image.people import POSE, people_in
from consilience.tools.image.placement import Frame
from consilience.tools.image.posture import JOINTS, posture

from consilience.core.errors import Unobservable
from consilience.observations import Confidence, Observation

__all__ = ["pose"]


@encoder(
    modality="image",
    kinds=("pose",),
    version="1",
    cost="medium",
    extra="social",
    weights=(POSE, DETECTION),
    biometric=True,
)
def pose(excerpt: Excerpt, *, min_score: Share = 0.5, most: Few = 20) -> Iterator[Observation]:
    """Finds people's joints, 33 a person, and says their posture: standing, sitting, a hand raised, ...

    Args:
        excerpt: a picture, or a region of one.
        min_score: 0 to 1; bodies whose presence scores less are left out.
        most: people, the surest first.
    """
    picture = excerpt.image()
    people = people_in(excerpt, picture, min_score)
    if not people:
        raise Unobservable("nobody is to be seen in the picture")
    frame = Frame.of(excerpt, picture)
    for person in sorted(people, key=lambda person: -person.presence)[:most]:
        joints = {name: (float(x), float(y), float(v)) for name, (x, y, v) in zip(JOINTS, person.joints, strict=True)}
        words = posture(joints)
        keypoints = frame.keypoints((name, *joint) for name, joint in joints.items())
        yield excerpt.observe(
            "pose",
            {"keypoints": [point.model_dump(mode="json") for point in keypoints], "posture": list(words)},
            f"a person at the {frame.place(person.box)}: {', '.join(words) or 'posture unclear'}",
            locator=frame.locator(person.box),
            confidence=Confidence(value=person.presence, kind="score"),
        )
