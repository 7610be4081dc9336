"""What an encoder is handed: a medium, or the part of it to look at, and the means to report on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.tools.deadline import Deadline
from consilience.tools.decoding.frames import frame_at, frames
from consilience.tools.decoding.pages import embedded_picture, page_picture
from consilience.tools.decoding.pictures import as_shown, cropped
from consilience.tools.decoding.sound import channel_of, sound_within

from consilience.core.errors import BadMedia, Unobservable
from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.observations import (
    Confidence,
    Locator,
    Media,
    Modality,
    Observation,
    Provenance,
    TimeRange,
    Unobserved,
)
from consilience.observations.charset import read_text
from consilience.observations.extents.pictures import opened_picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["Excerpt"]


@dataclass(frozen=True)
class Excerpt:
    """A medium on disk, narrowed to `where` when that is not empty.

    Encoders work in the excerpt's own coordinates; `observe` carries their locators back into the medium's.
    """

    media: Media
    path: Path
    where: Locator = Locator()
    settings: Settings = field(default_factory=Settings)
    modality: Modality | None = None
    """As what the excerpt is read: a film's key frame as an image. None: as what the medium is."""
    deadline: Deadline = field(default_factory=Deadline)
    tool: str = "unnamed"
    version: str = "0"
    model: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def image(self) -> Image.Image:
        """What there is to see, as upright RGB, cropped to the region asked for.

        Of a video, the picture on screen at the start of the time range; of a PDF, the page; of an office document,
        the picture that the track names.

        Raises:
            Unobservable: it cannot be decoded.
        """
        picture = self._picture()
        return cropped(picture, self.where.region.to_pixels(*picture.size)) if self.where.region else picture

    def _picture(self) -> Image.Image:
        from PIL import UnidentifiedImageError

        if self.media.modality == "video":
            return frame_at(self.path, self.where.time.start if self.where.time else 0.0, check=self.check)
        if self.media.modality == "document":
            if self.where.track:
                return embedded_picture(self.path, self.where.track, self.settings.limits)
            return page_picture(self.path, self.where.page or 1, self.settings.limits)
        try:
            # The limit on pixels was checked when the picture was taken in.
            with opened_picture(self.path, (self.media.width or 0) * (self.media.height or 0)) as opened:
                return as_shown(opened)
        except Exception as problem:
            # Pillow's decoders raise whatever it is that a broken file makes them stumble over. What they do not know
            # they tell with its path, which belongs into no observation.
            told = "its type is not known" if isinstance(problem, UnidentifiedImageError) else problem
            raise Unobservable(f"the picture cannot be decoded ({told or type(problem).__name__})") from problem

    def waveform(self, rate: int = 16_000) -> NDArray[np.float32]:
        """Mono samples of shape (frames,) in -1 to 1 at `rate` hertz, cut to the time range and channel asked for.

        Raises:
            BadMedia: it goes on for longer than the limits allow, whatever its header says.
            Unobservable: it cannot be decoded, or holds no sound there.
        """
        import numpy as np

        video, limits = self.media.modality == "video", self.settings.limits
        room = (limits.video_seconds if video else limits.audio_seconds) * rate
        blocks = []
        channel = channel_of(self.where.track)
        for block in sound_within(self.path, rate, time=self.where.time, channel=channel, check=self.check):
            blocks.append(block)
            room -= len(block)
            if room < -rate:
                raise BadMedia(
                    self.media.name,
                    "goes on for longer than the limit allows.",
                    cure=f"Raise CONSILIENCE_LIMIT_{'VIDEO' if video else 'AUDIO'}_SECONDS, or cut it.",
                )
        return np.concatenate(blocks)

    def frames(self, *, every: float = 0.0, longest_side: int | None = None) -> Iterator[tuple[float, Image.Image]]:
        """(seconds from the start of the excerpt, upright RGB picture) of a video, in order, one in memory at a time.

        Raises:
            Unobservable: it cannot be decoded.
        """
        time = self.where.time
        for at, picture in frames(self.path, time=time, every=every, longest_side=longest_side, check=self.check):
            yield at - (time.start if time else 0.0), picture

    @property
    def seconds(self) -> float | None:
        """How long the excerpt is; None where nobody knows before it is decoded."""
        return self.where.time.seconds if self.where.time else self.media.seconds

    def check(self) -> None:
        """Encoders that work for long call this between steps; `observe`, `waveform` and `frames` do.

        Raises:
            Stopped: the caller no longer waits, or the time is up.
        """
        self.deadline.check()

    def text(self) -> str:
        """The text, cut to the character range asked for.

        Raises:
            Unobservable: it is not UTF-8.
        """
        try:
            text = read_text(self.path)
        except UnicodeDecodeError as problem:
            raise Unobservable(f"it is no UTF-8 text (byte {problem.start} is none)") from problem
        return text[self.where.chars.start : self.where.chars.end] if self.where.chars else text

    def weights(self, name: str) -> Path:
        """Folder of the weights `name`.

        Raises:
            WeightsUnavailable: they are not here; the error names the command that pulls them.
        """
        return WeightsStore(self.settings).path(name)

    def observe(
        self,
        kind: str,
        value: dict[str, Any],
        text: str,
        *,
        locator: Locator | None = None,
        confidence: Confidence | None = None,
    ) -> Observation:
        """An observation on this medium, with its provenance filled in.

        Args:
            kind: see `consilience.observations.kinds`.
            value: JSON of the kind's shape.
            text: one line for a language model; say what was observed, in words worth quoting.
            locator: where in the excerpt; None means all of it.
            confidence: the encoder's own, with its kind; None where it has none.
        """
        self.check()
        return Observation(
            kind=kind,
            value=value,
            text=text,
            locator=self._in_medium(locator or Locator()),
            confidence=confidence,
            provenance=Provenance(
                media=self.media.id,
                modality=self.modality or self.media.modality,
                tool=self.tool,
                version=self.version,
                model=self.model,
                parameters=self.parameters,
            ),
        )

    def unobserved(self, sought: tuple[str, ...], reason: str, *, locator: Locator | None = None) -> Observation:
        """What could not be, or was not, observed beside what was: nothing is left out without a word.

        Args:
            sought: kinds that one would have looked for.
            reason: in words for a reader, and the observation's text.
            locator: as for `observe`.
        """
        value = Unobserved(sought=sought, reason=reason, modality=self.modality or self.media.modality)
        return self.observe("unobserved", value.model_dump(mode="json"), reason, locator=locator)

    def _in_medium(self, local: Locator) -> Locator:
        moved: dict[str, Any] = {}
        outer = self.where
        if outer.region:
            moved["region"] = local.region.within(outer.region) if local.region else outer.region
        if outer.time:
            moved["time"] = (
                TimeRange(start=local.time.start + outer.time.start, end=local.time.end + outer.time.start)
                if local.time
                else outer.time
            )
        if outer.page is not None:
            moved["page"] = outer.page
        if outer.track is not None and local.track is None:
            moved["track"] = outer.track
        if outer.chars:
            start = outer.chars.start
            moved["chars"] = (
                local.chars.model_copy(update={"start": local.chars.start + start, "end": local.chars.end + start})
                if local.chars
                else outer.chars
            )
        return local.model_copy(update=moved)
