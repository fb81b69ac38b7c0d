"""Notices as events of PagerDuty, Events API v2: trigger, acknowledge, resolve.

Source: developer.pagerduty.com, "Send an Alert Event": `routing_key`, `event_action`, `dedup_key` (at most 255
characters), `payload` with `summary` (at most 1,024 characters), `source`, `severity` of critical, error, warning and
info, `timestamp`, `component`, `group`, `class`, `custom_details`; `links` of `href` and `text`; `client`.
An event with the key of an open incident is added to it, so a message that comes twice opens no second one.
"""

from typing import Any

from flyball.core.codec import digest
from flyball.core.ids import short
from flyball.core.notice import Notice

PATH = "/v2/enqueue"
KEY, SUMMARY = 255, 1024  # characters
ACTIONS = {"raised": "trigger", "escalated": "trigger", "acked": "acknowledge", "resolved": "resolve"}


def event(notice: Notice, routing_key: str) -> dict[str, Any]:
    """One event. Severity: a page is critical, a ticket a warning."""
    found: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": ACTIONS[notice.event],
        "dedup_key": dedup_key(notice.key),
    }
    if found["event_action"] != "trigger":
        return found
    details = {
        "alert": notice.alert,
        "cause": notice.cause,
        "detail": notice.detail,
        "owner": notice.owner,
        "on_call": ", ".join(notice.to),
        "runbook": notice.runbook,
        "incident": notice.incident or "",
        "why": notice.why,
        **notice.labels,
    }
    found["payload"] = {
        "summary": notice.title[:SUMMARY],
        "source": notice.service,
        "severity": "critical" if notice.urgency == "page" else "warning",
        "timestamp": notice.at,
        "component": notice.service,
        "group": notice.owner,
        "class": notice.name,
        "custom_details": {name: value for name, value in details.items() if value},
    }
    found["client"] = "Flyball"
    if notice.runbook_url:
        found["links"] = [{"href": notice.runbook_url, "text": f"Runbook {notice.runbook}"}]
    return found


def dedup_key(key: str) -> str:
    """As it is, or shortened in a way that two keys never share.

    >>> dedup_key("flyball/fraud/errors"), len(dedup_key("x" * 300))
    ('flyball/fraud/errors', 255)
    """
    if len(key) <= KEY:
        return key
    end = short(digest("flyball/dedup-key/v1", key))
    return f"{key[: KEY - len(end) - 1]}/{end}"
