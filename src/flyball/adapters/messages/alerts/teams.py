"""Notices as Adaptive Cards for a Workflow of Microsoft Teams ("post to a channel when a webhook request comes").

Source: learn.microsoft.com, "Create incoming webhooks with Workflows": a `message` with one attachment of the content
type `application/vnd.microsoft.card.adaptive`; adaptivecards.io, schema 1.4 (TextBlock, FactSet, Action.OpenUrl).
A message may have 28 KB.
"""

from typing import Any

from flyball.core.notice import Notice

DETAIL = 8000  # characters
COLOURS = {"raised": "attention", "escalated": "attention", "acked": "accent", "resolved": "good"}


def message(notice: Notice) -> dict[str, Any]:
    """One message with one card."""
    facts = {
        "Cause": notice.cause,
        "Since": notice.since,
        "For": ", ".join(notice.to),
        "Owner": notice.owner,
        "Taken by": notice.by,
        "Incident": notice.incident or "",
        "Runbook": notice.runbook,
        "Alert": notice.alert,
        **notice.labels,
    }
    body: list[dict[str, Any]] = [
        {
            "type": "TextBlock",
            "text": _plain(notice.title),
            "weight": "Bolder",
            "size": "Medium",
            "wrap": True,
            "color": "warning" if notice.event == "raised" and notice.urgency == "ticket" else COLOURS[notice.event],
        },
        *({"type": "TextBlock", "text": _plain(text), "wrap": True} for text in (notice.why, notice.detail) if text),
        {
            "type": "FactSet",
            "facts": [{"title": name, "value": _plain(value)} for name, value in facts.items() if value],
        },
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if notice.runbook_url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the runbook", "url": notice.runbook_url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _plain(text: str) -> str:
    """A card reads Markdown: what a fact says is no link there."""
    return text[:DETAIL].replace("[", "\\[").replace("](", "]\\(")
