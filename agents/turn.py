"""What a seat says: a position, and claims that point at the evidence they rest on."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from consilience.observations import Region, Span

__all__ = ["Citation", "Claim", "Dispute", "LookAgain", "Phase", "Position", "Stance", "Turn"]

Phase = Literal["opening", "exchange"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Citation(_Frozen):
    """A pointer at one observation, with the words it is cited for."""

    label: str = Field(description="Label in the record, for example `i2`.")
    given_label: str | None = Field(
        None, description="Label as the model gave it, where its words stand in another line of the medium; else None."
    )
    quote: str = Field(description="Words of the observation, verbatim.")
    observation: str | None = Field(None, description="Id of the observation; None while unchecked or unknown.")
    fault: str | None = Field(None, description="Why the citation does not hold; None when it does, or is unchecked.")

    @property
    def holds(self) -> bool:
        """Checked: the observation exists and contains the quote."""
        return self.observation is not None and self.fault is None


class Claim(_Frozen):
    """One statement of fact with its citations."""

    text: str
    citations: tuple[Citation, ...]

    @property
    def holds(self) -> bool:
        """It has citations, and every one of them holds."""
        return bool(self.citations) and all(citation.holds for citation in self.citations)


class Position(_Frozen):
    """What a seat answers to the question."""

    text: str
    stated: Literal["fully", "partly", "not"] = Field(description="How much of the answer its evidence states.")
    approves: tuple[str, ...] = Field(
        (), description="Other options that its evidence allows too, as it says them; asked for by a vote of approval."
    )

    @property
    def answers(self) -> bool:
        """It says something about the question."""
        return self.stated != "not" and bool(self.text.strip())


class Dispute(_Frozen):
    """A peer's statement that a seat does not accept, and why."""

    seat: str = Field(description="Letter of the peer.")
    reason: str


class LookAgain(_Frozen):
    """A request for lines of the record that the seat's prompt had no room for, or that an encoder read them anew."""

    span: Span = Field(description="Where they may lie.")
    words: str = Field("", description="What to look for there; empty: what bears on the question.")
    encoder: str | None = Field(None, description="Who is to read that place again; None: look in the record.")
    region: Region | None = Field(None, description="Of the picture, enlarged; only with an encoder.")
    near: str | None = Field(
        None,
        description="Label of the line whose place, and a little around it, is meant; None once that is filled in.",
    )
    parameters: tuple[tuple[str, str], ...] = Field(
        (), description="What of the encoder is set otherwise than by default, each with its value as text."
    )

    def describe(self) -> str:
        """`"the fee" in 'talk.wav', 0:00-0:40`, or `image.text on 'board.png', box 10 20 60 80 %`."""
        where = f"{self.span.media!r}{self.span.describe()}"
        if self.encoder is None:
            return f'"{self.words}" in {where}' if self.words else f"more in {where}"
        box = self.region and (
            self.region.x,
            self.region.y,
            self.region.x + self.region.w,
            self.region.y + self.region.h,
        )
        told = f", box {' '.join(f'{100 * edge:.3g}' for edge in box)} %" if box else ""
        settings = "".join(f", {name} {value}" for name, value in self.parameters)
        return f"{self.encoder} on {where}{told}{settings}"


class Stance(_Frozen):
    """A part in the argument that a seat is given: it speaks for that part, and its position counts as nobody's own."""

    aim: Literal["defend", "test"]
    position: str = Field(min_length=1, description="The answer that it argues for, or looks for evidence against.")

    @classmethod
    def defend(cls, position: str) -> Stance:
        """To argue for an answer."""
        return cls(aim="defend", position=position)

    @classmethod
    def test(cls, position: str) -> Stance:
        """To look for what speaks against an answer."""
        return cls(aim="test", position=position)

    def describe(self) -> str:
        """`asked to defend 'platform 4'`."""
        return f"asked to {self.aim} {self.position!r}"


class Turn(_Frozen):
    """One seat's contribution to one phase."""

    schema_version: Literal[1] = 1
    seat: str = Field(description="Letter: all that peers and judge see of the speaker.")
    expert: str = Field(description="Name of the expert in the seat.")
    phase: Phase
    round: int = Field(ge=0, description="0 is the opening.")
    position: Position
    claims: tuple[Claim, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    look_again: tuple[LookAgain, ...] = ()
    stance: Stance | None = Field(None, description="The part that the seat was given; None: it speaks for itself.")
    asked: str = Field("", description="What the judge had asked it; empty where it did not.")
    repaired: bool = Field(False, description="The first reply had to be asked for again.")
