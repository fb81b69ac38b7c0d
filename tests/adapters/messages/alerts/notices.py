"""Notices as they come out of the outbox."""

from typing import Any

import msgspec

from flyball.core.ledger import Message
from flyball.core.notice import Notice, NoticeEvent

AT = "2026-11-21T10:00:00.000000Z"


def notice(event: NoticeEvent = "raised", **changed: Any) -> Notice:
    values: dict[str, Any] = {
        "id": f"{event}0123456789abcdef",
        "event": event,
        "service": "fraud",
        "alert": "al-0123456789ab",
        "cause": "errors",
        "name": "ErrorsHigh",
        "urgency": "page",
        "summary": "5 % of answers are errors <limit 1 %> & more",
        "detail": "Since 10:00. See [here](http://evil.example).",
        "runbook": "bad-rollout",
        "runbook_url": "https://runbooks.example/bad-rollout.md",
        "owner": "risk",
        "to": ("ada", "bob@example.org"),
        "at": AT,
        "since": AT,
        "labels": {"rollout": "ro-1"},
    }
    return Notice(**(values | changed))


def message(event: NoticeEvent = "raised", **changed: Any) -> Message:
    made = notice(event, **changed)
    return Message(id=f"fraud/to/{made.id}", destination="fraud/to", body=msgspec.to_builtins(made))
