"""What an encoder is handed: a medium, or the part of it to look at, and the means to report on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.core.errors import MissingExtra, Unobservable
from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.observations import Confidence, Locator, Media, Observation, Provenance, TimeRange

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
    tool: str = "unnamed"
    version: str = "0"
    model: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def image(self) -> Image.Image:
        """The picture as upright RGB, cropped to the region asked for."""
        from PIL import Image, ImageOps

        with Image.open(self.path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
        return upright.crop(self.where.region.to_pixels(*upright.size)) if self.where.region else upright

    def waveform(self, rate: int = 16_000) -> NDArray[np.float32]:
        """Mono samples of shape (frames,) in -1 to 1 at `rate` hertz, cut to the time range asked for.

        Raises:
            Unobservable: the recording cannot be decoded, or holds no sound there.
        """
        import numpy as np

        try:
            import av
        except ImportError as problem:
            raise MissingExtra("av", "audio", "Decoding sound") from problem
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        pieces: list[NDArray[Any]] = []
        try:
            with av.open(str(self.path), metadata_errors="replace") as container:
                for frame in container.decode(audio=0):
                    pieces += [piece.to_ndarray().reshape(-1) for piece in resampler.resample(frame)]
                pieces += [piece.to_ndarray().reshape(-1) for piece in resampler.resample(None)]
        except (av.FFmpegError, IndexError) as problem:
            raise Unobservable(f"the sound cannot be decoded ({problem})") from problem
        samples = np.concatenate(pieces).astype(np.float32) if pieces else np.zeros(0, np.float32)
        if self.where.time:
            samples = samples[int(self.where.time.start * rate) : int(self.where.time.end * rate)]
        if not samples.size:
            raise Unobservable("there is no sound in it")
        return samples

    def text(self) -> str:
        """The text, cut to the character range asked for."""
        text = self.path.read_text(encoding="utf-8-sig")
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
        return Observation(
            kind=kind,
            value=value,
            text=text,
            locator=self._in_medium(locator or Locator()),
            confidence=confidence,
            provenance=Provenance(
                media=self.media.id,
                modality=self.media.modality,
                tool=self.tool,
                version=self.version,
                model=self.model,
                parameters=self.parameters,
            ),
        )

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
        if outer.chars:
            start = outer.chars.start
            moved["chars"] = (
                local.chars.model_copy(update={"start": local.chars.start + start, "end": local.chars.end + start})
                if local.chars
                else outer.chars
            )
        return local.model_copy(update=moved)
