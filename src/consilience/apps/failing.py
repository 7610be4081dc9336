"""Encoders that failed, as the command line tells them: a line each, and an exit code for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from consilience.observations import Cause, Failure, Media

__all__ = ["exit_code", "told"]

# As for errors that end the whole command; of several the first here, for it is what the reader can mend.
_CODES: Mapping[Cause, int] = {"unreadable": 3, "missing": 4, "configuration": 2, "model": 5, "other": 1}


def exit_code(failures: Iterable[Failure]) -> int:
    """0 without failures: what could be observed is there in any case."""
    causes = {failure.cause for failure in failures}
    return next((code for cause, code in _CODES.items() if cause in causes), 0)


def told(failures: Iterable[Failure], media: Sequence[Media]) -> list[str]:
    """A line each, with the names of the media."""
    names = {medium.id: medium.name for medium in media}
    return [failure.describe(names.get(failure.media, "")) for failure in failures]
