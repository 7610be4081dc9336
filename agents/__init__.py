"""Experts, the judge, and what they say: turns, claims, verdicts."""

from consilience.agents.briefing import Brief
from consilience.agents.citations import check_citation, check_claim, check_turn, normalise
from consilience.agents.expert import Expert, Seat, default_experts, generalists, take_seats
from consilience.agents.judge import Judge
from consilience.agents.replies import ComposeReply
from consilience.agents.requests import Offer
from consilience.agents.turn import Citation, Claim, Dispute, LookAgain, Phase, Position, Turn
from consilience.agents.verdict import (
    Agreement,
    Dissent,
    Evidence,
    Part,
    PayOff,
    Resolution,
    SeatFate,
    Stage,
    Status,
    StruckClaim,
    Verdict,
)

__all__ = [
    "Agreement",
    "Brief",
    "Citation",
    "Claim",
    "ComposeReply",
    "Dispute",
    "Dissent",
    "Evidence",
    "Expert",
    "Judge",
    "LookAgain",
    "Offer",
    "Part",
    "PayOff",
    "Phase",
    "Position",
    "Resolution",
    "Seat",
    "SeatFate",
    "Stage",
    "Status",
    "StruckClaim",
    "Turn",
    "Verdict",
    "check_citation",
    "check_claim",
    "check_turn",
    "default_experts",
    "generalists",
    "normalise",
    "take_seats",
]
