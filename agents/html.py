"""A verdict as a self-contained piece of HTML: pictures and clips are embedded, nothing is fetched."""

from __future__ import annotations

import base64
from html import escape

from consilience.agents.verdict import Part, Verdict

from consilience.observations import ObservationStore

__all__ = ["part_html", "verdict_html"]

_STYLE = "font-family:system-ui,sans-serif;max-width:52rem;line-height:1.45"
_MUTED = "color:#667;font-size:.9em"


def verdict_html(verdict: Verdict, store: ObservationStore | None = None) -> str:
    """The answer, each claim with its evidence shown or played, and the books. Reads the parts from `store`."""
    store = store or ObservationStore.open()
    shown = {part.label: part_html(part, store) for part in verdict.parts if part.label}
    claims = "".join(
        f"<li>{escape(claim.text)}"
        + "".join(
            f'<div style="{_MUTED}">[{escape(c.label)}] “{escape(c.quote)}”</div>{shown.pop(c.label, "")}'
            for c in claim.citations
        )
        + "</li>"
        for claim in verdict.claims
    )
    lines = [
        f"Status: {verdict.status}; confidence: {verdict.confidence.line() if verdict.confidence else 'none'}",
        *([f"Order: {order}"] if (order := verdict.order_line()) else []),
        *(f"Dissent: {d.expert}: {d.position.text}" for d in verdict.dissent),
        *(f"Struck: {s.claim.text} ({s.reason})" for s in verdict.struck),
        *(f"Not seated: {each.expert}: {each.reason}" for each in verdict.passed_over),
        *(f"Lost: {s.expert}: {s.reason}" for s in verdict.seats if s.reason),
        *(f"Lost tool: {lost}" for lost in verdict.lost_tools),
        *([f"Pay-off: {verdict.payoff.line()}"] if verdict.payoff else []),
    ]
    books = "<br>".join(escape(line) for line in lines)
    answer = escape(verdict.answer or verdict.stop_reason)
    return (
        f'<div style="{_STYLE}"><p style="{_MUTED}">{escape(verdict.question)}</p>'
        f'<p style="font-size:1.2em"><b>{answer}</b></p><ul>{claims}</ul><p style="{_MUTED}">{books}</p></div>'
    )


def part_html(part: Part, store: ObservationStore) -> str:
    """A picture or a player; the caption alone where the bytes are gone from the store."""
    if part.blob is None or part.mime is None or not store.blob(part.blob).exists():
        return f"<div>{escape(part.text)}</div>"
    content = base64.b64encode(store.blob(part.blob).read_bytes()).decode()
    source = f'src="data:{escape(part.mime)};base64,{content}"'
    if part.mime.startswith("image/"):
        return f'<img {source} alt="{escape(part.text)}" style="max-width:100%;max-height:22rem">'
    return f'<audio controls {source} title="{escape(part.text)}"></audio>'
