"""What a user can set: by argument, by environment (`CONSILIENCE_...`), or by `consilience.toml`, in that order."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Self

import platformdirs
from pydantic import Field, ModelWrapValidatorHandler, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from consilience.core.errors import BadConfiguration, nearest
from consilience.core.registry import package_name

__all__ = ["Limits", "Settings", "unknown_variables"]

_MEGABYTE = 1024 * 1024


def _are_words(given: Any) -> bool:
    return isinstance(given, list | tuple) and all(isinstance(item, str) for item in given)


def _runtime_dir() -> Path:
    # Not the home folder: lock files must lie on this machine, and processes of one user must meet.
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "consilience" if base else Path(tempfile.gettempdir()) / f"consilience-{os.getuid()}"


class _Told(BaseSettings):
    """Settings that refuse a value in our words: which one it is, what is wrong with it, where to set it."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(given)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            reason = first["msg"].removeprefix("Value error, ").rstrip(".")
            variable = f"{cls.model_config.get('env_prefix', '')}{name.upper()}"
            raise BadConfiguration(
                f"The setting {name!r} is wrong: {reason[:1].lower()}{reason[1:]}.",
                cure=f"Mend it where it is set: {variable}, consilience.toml, or the argument {name!r}.",
            ) from problem


class Limits(_Told):
    """What is refused at the door, so that a hostile input cannot take the machine down."""

    model_config = SettingsConfigDict(env_prefix="CONSILIENCE_LIMIT_", frozen=True, extra="ignore")

    media_bytes: int = Field(512 * _MEGABYTE, gt=0, description="Largest medium, bytes.")
    pixels: int = Field(64_000_000, gt=0, description="Largest picture, width times height.")
    audio_seconds: float = Field(4 * 3600, gt=0, description="Longest recording, seconds.")
    video_seconds: float = Field(4 * 3600, gt=0, description="Longest video, seconds.")
    pages: int = Field(2000, gt=0, description="Longest document, pages.")
    unpacked_bytes: int = Field(1024 * _MEGABYTE, gt=0, description="Largest office document, unpacked.")
    encoding_seconds: float = Field(3600, gt=0, description="Longest that an encoder may work on a part of a medium.")
    text_characters: int = Field(5_000_000, gt=0, description="Longest text.")
    table_rows: int = Field(1_000_000, gt=0, description="Longest table.")
    table_columns: int = Field(16_384, gt=0, description="Widest table.")


class Settings(_Told):
    """One frozen value, handed down; nothing reads the environment behind a caller's back."""

    model_config = SettingsConfigDict(
        env_prefix="CONSILIENCE_", frozen=True, extra="ignore", toml_file="consilience.toml"
    )

    cache_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("consilience")),
        description="Weights, media, observations.",
    )
    runtime_dir: Path = Field(
        default_factory=lambda: _runtime_dir(),
        description="Lock files of the embedded model server; one folder per user and machine.",
    )
    model: str = Field("embedded", description="Chat model of every seat that names none of its own.")
    protocol: str = Field(
        "single",
        description="How a question is deliberated where nothing is asked for that only a debate has. The default is "
        "the cheapest: on the embedded model no dearer one was shown to answer better.",
    )
    base_url: str | None = Field(None, description="OpenAI-compatible endpoint for `model`.")
    api_key: SecretStr | None = Field(None, description="Key for `base_url`.")
    vision_model: str | None = Field(None, description="Model that may describe pictures; unset: none does.")
    transcription_model: str | None = Field(None, description="Speech model at `base_url`; unset: Whisper here.")
    speech_model: str = Field(
        "base",
        description="Whisper here: `base`, which is packaged; a size that the hub has (`small`, `large-v3`, ...); or a "
        "repository of the hub with a model for CTranslate2.",
    )
    whisper_checkpoint: Path | None = Field(
        None, description="Whisper through `openai-whisper` instead: a checkpoint in its own format (.pt) on this disk."
    )
    hub: str = Field("https://huggingface.co", description="Model hub that weights are pulled from first.")
    offline: bool = Field(False, description="Never download anything.")
    plugins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Packages whose encoders may be loaded, separated by commas; `*`: whatever is installed."
    )
    biometrics: bool = Field(
        False, description="Let encoders observe faces' expressions and voices' embeddings; never who somebody is."
    )
    embedded_lines: int = Field(
        6000,
        ge=0,
        description="Observations that are compared with a question by meaning at most, where a record does not fit "
        "into a prompt; 0: by words alone.",
    )
    threads: int = Field(2, ge=1, description="CPU threads for the embedded model and for each encoder.")
    request_seconds: float = Field(300, gt=0, description="Time-out of an attempt at a model call, from its admission.")
    concurrency: int = Field(
        64, ge=1, description="Model calls that one endpoint is sent at once; the embedded model takes one at a time."
    )
    retries: int = Field(
        6, ge=0, le=20, description="How often a model call is repeated after a failure that may pass; 0: never."
    )
    retry_seconds: float = Field(
        30,
        ge=0,
        description="Longest wait before a repetition; an endpoint that asks for a longer one is given up.",
    )
    breaker_failures: int = Field(
        5, ge=1, description="Calls that fail for good in a row until an endpoint is left alone for a while."
    )
    breaker_seconds: float = Field(30, gt=0, description="How long it is then left alone before one call tries it.")
    fallbacks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Models, separated by commas, on which a call is made in turn that failed for good on its own "
        "model; named as `model` is.",
    )
    media_folder: Path | None = Field(
        None, description="Folder whose files the clients of a served graph may name; unset: none."
    )
    trace_content: bool = Field(
        False,
        description="Put prompts, replies, questions and answers into OpenTelemetry spans; media never are.",
    )
    checkpoints: str | None = Field(
        None,
        description="Where runs are kept that are given a thread: `sqlite:///file` or `postgresql://...`; unset: "
        "runs.sqlite in `cache_dir`.",
    )
    limits: Limits = Field(default_factory=lambda: Limits())

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _models_by_commas(cls, given: Any) -> Any:
        return tuple(name.strip() for name in given.split(",") if name.strip()) if isinstance(given, str) else given

    @field_validator("plugins", mode="before")
    @classmethod
    def _by_commas(cls, given: Any) -> Any:
        names = given.split(",") if isinstance(given, str) else given
        return tuple(package_name(name) for name in names if name.strip()) if _are_words(names) else given

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before environment before file."""
        try:
            file = TomlConfigSettingsSource(settings_cls)
        except tomllib.TOMLDecodeError as problem:
            raise BadConfiguration(f"consilience.toml cannot be read: {problem}.", cure="Mend that line.") from problem
        return init_settings, env_settings, file

    @property
    def weights_dir(self) -> Path:
        """Where the weights store keeps its files."""
        return self.cache_dir / "weights"

    @property
    def checkpoints_url(self) -> str:
        """Where runs are kept that are given a thread."""
        return self.checkpoints or f"sqlite:///{self.cache_dir / 'runs.sqlite'}"

    @property
    def store_dir(self) -> Path:
        """Where media and observations are kept."""
        return self.cache_dir / "store"


_ELSEWHERE = ("CONSILIENCE_MCP_TOKEN",)
"""Variables that are no setting."""


def unknown_variables(names: Iterable[str]) -> dict[str, str | None]:
    """Those `CONSILIENCE_...` among these names of variables that set nothing, each with the nearest that does."""
    known = [*_ELSEWHERE, *_variables(Settings), *_variables(Limits)]
    ours = (name for name in names if name.upper().startswith("CONSILIENCE_") and name.upper() not in known)
    return {name: nearest(name.upper(), known) for name in ours}


def _variables(settings: type[BaseSettings]) -> list[str]:
    prefix = settings.model_config.get("env_prefix", "")
    return [f"{prefix}{name.upper()}" for name in settings.model_fields]
