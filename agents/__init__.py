"""Experts, the judge, and what they say: turns, claims, verdicts."""

from consilience.agents.briefing import Brief, debate_brief, opening_brief
from consilience.agents.citations import check_citation, check_claim, check_turn, normalise
from consilience.agents.exhibit import Exhibit
from consilience.agents.expert import Expert, Seat, default_experts, generalists, take_seats
from consilience.agents.judge import Judge
from consilience.agents.replies import ComposeReply
from consilience.agents.requests import Offer
from consilience.agents.seating import Likeness, Routing, Seating, joining, route
from consilience.agents.specialists import SPECIALISTS, specialist
from consilience.agents.tasks import Task, task_of
from consilience.agents.toolcalls import Found, call_tool, consult, grown
from consilience.agents.turn import Citation, Claim, Dispute, LookAgain, Phase, Position, Stance, Turn
from consilience.agents.verdict import (
    Confidence,
    Dissent,
    Evidence,
    Part,
    PassedOver,
    PayOff,
    Resolution,
    SeatFate,
    Stage,
    Status,
    StruckClaim,
    ToolCall,
    Verdict,
)
from consilience.agents.view import View
from consilience.agents.weighing import letter_odds

__all__ = [
    "SPECIALISTS",
    "Brief",
    "Citation",
    "Claim",
    "ComposeReply",
    "Confidence",
    "Dispute",
    "Dissent",
    "Evidence",
    "Exhibit",
    "Expert",
    "Found",
    "Judge",
    "Likeness",
    "LookAgain",
    "Offer",
    "Part",
    "PassedOver",
    "PayOff",
    "Phase",
    "Position",
    "Resolution",
    "Routing",
    "Seat",
    "SeatFate",
    "Seating",
    "Stage",
    "Stance",
    "Status",
    "StruckClaim",
    "Task",
    "ToolCall",
    "Turn",
    "Verdict",
    "View",
    "call_tool",
    "check_citation",
    "check_claim",
    "check_turn",
    "consult",
    "debate_brief",
    "default_experts",
    "generalists",
    "grown",
    "joining",
    "letter_odds",
    "normalise",
    "opening_brief",
    "route",
    "specialist",
    "take_seats",
    "task_of",
]
