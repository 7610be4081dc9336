"""The contract of an encoder: a typed function from an excerpt of one medium to observations."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, get_args

from consilience.tools.bounds import LONGEST, SHORTEST, refused
from consilience.tools.deadline import Deadline
from consilience.tools.docstrings import argument_docs
from consilience.tools.excerpt import Excerpt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from typing_extensions import Unpack

from consilience.core.errors import BadConfiguration, UnknownName
from consilience.core.settings import Settings
from consilience.core.weights import WeightsStore
from consilience.observations import MODALITIES, Locator, Media, Modality, Observation
from consilience.observations.kinds import VALUES
from consilience.observations.observation import canonical_json

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from consilience.observations import ObservationStore

__all__ = ["Cost", "Encode", "Encoder", "encoder"]

Cost: TypeAlias = Literal["light", "medium", "heavy", "remote"]
"""light: milliseconds; medium: up to a second; heavy: a model that takes seconds; remote: it costs money."""

Encode: TypeAlias = Callable[..., Iterable[Observation]]
"""`(excerpt, *, parameter=default, ...) -> observations`; parameters are keyword-only, JSON-typed, with defaults."""

_READ_WITHIN: Mapping[Modality, frozenset[str]] = {
    "document": frozenset({"media_bytes", "pages", "pixels", "unpacked_bytes"})
}
"""Limits within which a medium is read as far as they allow; what goes beyond any other is refused, and a refusal is
not remembered."""


class Traits(TypedDict, total=False):
    """What few encoders declare; see the fields of `Encoder`."""

    packages: tuple[str, ...]
    model_name: Callable[[Settings], str] | None
    mimes: tuple[str, ...]
    stretch: float | None
    on_demand: bool
    biometric: bool
    deterministic: bool


@dataclass(frozen=True)
class Encoder:
    """An encoder, as data about it and the function that does it. Make one with the `encoder` decorator."""

    name: str
    """`modality.what`, for example `image.text`."""
    version: str
    """Raise it whenever the same input may give other observations: it is part of the cache key."""
    modality: Modality
    kinds: tuple[str, ...]
    """Kinds of observation it may make."""
    encode: Encode
    parameters: type[BaseModel]
    cost: Cost = "light"
    extra: str | None = None
    """The extra of consilience that carries its packages; None when the core does, or a plug-in itself."""
    weights: tuple[str, ...] = ()
    """Names in the weights manifest."""
    packages: tuple[str, ...] = ()
    """Distributions that bring weights of their own; which version is installed is part of the cache key."""
    model_name: Callable[[Settings], str] | None = None
    """Names the model that the settings choose: a remote one with its server, a checkpoint with its hash."""
    mimes: tuple[str, ...] = ()
    """Types of media that it reads, of its modality; empty: all of them, and parts of other media too."""
    stretch: float | None = None
    """Longest recording, in seconds, that it is handed at once. The runner cuts longer ones where they are quietest
    and caches each stretch by itself, so that a run that was killed goes on where it was."""
    on_demand: bool = False
    """It runs only when it is asked for by name."""
    biometric: bool = False
    """It measures people's bodies; it runs only where `settings.biometrics` allows that."""
    deterministic: bool = True
    """The same input gives the same observations."""
    summary: str = ""

    def __post_init__(self) -> None:
        """Refuses what would cut recordings into more pieces than anybody reads, or into none."""
        if self.stretch is not None and not SHORTEST <= self.stretch <= LONGEST:
            raise BadConfiguration(
                f"{self.name}: recordings cannot be cut into stretches of {self.stretch} s.",
                cure=f"Declare a stretch of {SHORTEST} to {LONGEST:,} s, or none.",
            )

    def when_asked(self) -> Encoder:
        """This encoder as one that was asked for by name, so that it runs."""
        return replace(self, on_demand=False)

    @property
    def divides(self) -> bool:
        """Whether it divides media into parts for other encoders."""
        return "part" in self.kinds

    def reads(self, modality: Modality, mime: str | None) -> bool:
        """Whether it reads a medium of this modality and type; None stands for a part of another medium."""
        return self.modality == modality and (not self.mimes or mime in self.mimes)

    def bind(self, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """All parameters, checked, with defaults filled in.

        Raises:
            BadConfiguration: a parameter that the encoder does not have, of the wrong type, or out of its bounds.
        """
        try:
            return self.parameters.model_validate(parameters or {}).model_dump(mode="json")
        except ValidationError as problem:
            raise refused(self.name, self.parameters, problem) from problem

    def model(self, settings: Settings) -> str | None:
        """What it runs, as provenance and cache key have it.

        That is its weights with the beginning of their hash, the packages that bring weights with their version, and
        the model that the settings choose.
        """
        store = WeightsStore(settings)
        parts = [f"{name}@{store.digest(name)[:12]}" for name in self.weights]
        parts += [_installed(name) for name in self.packages]
        parts += [self.model_name(settings)] if self.model_name else []
        return ", ".join(parts) or None

    def cache_key(self, media: Media, where: Locator, parameters: dict[str, Any], settings: Settings) -> str:
        """Hash of all that the observations depend on."""
        bearing = _READ_WITHIN.get(media.modality, frozenset[str]())
        parts = {
            "media": media.id,
            # The same bytes are read otherwise as Markdown than as plain text.
            "type": media.mime,
            "where": where.to_fragment(),
            "tool": self.name,
            "version": self.version,
            "model": self.model(settings),
            "parameters": parameters,
            "limits": settings.limits.model_dump(mode="json", include=set(bearing)),
        }
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()

    def tool(self, store: ObservationStore, settings: Settings | None = None) -> BaseTool:
        """This encoder as a LangChain tool over the media in `store`."""
        from consilience.tools.langchain import encoder_tool

        return encoder_tool(self, store, settings or Settings())


def encoder(
    *,
    modality: Modality,
    kinds: Sequence[str],
    version: str,
    name: str | None = None,
    cost: Cost = "light",
    extra: str | None = None,
    weights: Sequence[str] = (),
    **traits: Unpack[Traits],
) -> Callable[[Encode], Encoder]:
    """Makes an `Encoder` of a function.

    Its docstring's first line says what it observes, and the section `Args:` what its parameters mean. It may be a
    generator. It reads its medium through the excerpt, reports with `excerpt.observe`, raises `Unobservable` when the
    medium does not allow it, and lets every other error through.

    Raises:
        UnknownName: there is no such modality or cost class.
        BadConfiguration: it declares no kinds; a parameter of the function is not keyword-only, or has no default or
            no annotation.
    """
    _check_named("modality", modality, MODALITIES)
    _check_named("cost class", cost, get_args(Cost))
    if isinstance(kinds, str) or not kinds or not all(isinstance(kind, str) and kind for kind in kinds):
        raise BadConfiguration(
            f"An encoder declares the kinds that it observes, not {kinds!r}.",
            cure=f'Write kinds=("warmth",), with names of yours or these: {", ".join(VALUES)}.',
        )

    def declare(function: Encode) -> Encoder:
        return Encoder(
            name=name or f"{modality}.{function.__name__}",
            version=version,
            modality=modality,
            kinds=tuple(kinds),
            encode=function,
            parameters=_parameters_of(function),
            cost=cost,
            extra=extra,
            weights=tuple(weights),
            **traits,
            summary=(inspect.getdoc(function) or "").partition("\n")[0],
        )

    return declare


def _check_named(what: str, given: str, choices: Sequence[str]) -> None:
    if given not in choices:
        raise UnknownName(what, str(given), choices)


@cache
def _version_of(package: str) -> str:
    return metadata.version(package)


def _installed(package: str) -> str:
    # What is not installed is not remembered as such: it may be installed meanwhile.
    try:
        return f"{package} {_version_of(package)}"
    except metadata.PackageNotFoundError:
        return f"{package} (not installed)"


def _parameters_of(function: Encode) -> type[BaseModel]:
    signature = inspect.signature(function, eval_str=True)
    told = argument_docs(function)
    fields: dict[str, Any] = {}
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.kind is not parameter.KEYWORD_ONLY or parameter.empty in (parameter.default, parameter.annotation):
            raise BadConfiguration(
                f"Encoder {function.__name__}: parameter {parameter.name!r} must be keyword-only, "
                "annotated, and have a default.",
                cure=f"Write `def {function.__name__}(excerpt, *, {parameter.name}: type = default)`.",
            )
        described: dict[str, Any] = {"description": told[parameter.name]} if parameter.name in told else {}
        fields[parameter.name] = (parameter.annotation, Field(parameter.default, **described))
    title = f"{function.__name__.title().replace('_', '')}Parameters"
    model: type[BaseModel] = create_model(
        title, __config__=ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False), **fields
    )
    return model


def excerpt_of(
    encoder: Encoder,
    media: Media,
    path: Path,
    *,
    where: Locator,
    parameters: dict[str, Any],
    settings: Settings,
    deadline: Deadline,
) -> Excerpt:
    """The excerpt that hands `encoder` this part of a stored medium."""
    return Excerpt(
        media=media,
        path=path,
        where=where,
        settings=settings,
        modality=encoder.modality,
        deadline=deadline,
        tool=encoder.name,
        version=encoder.version,
        model=encoder.model(settings),
        parameters=parameters,
    )
