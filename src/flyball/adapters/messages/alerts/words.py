"""A notice as text for people: plain, or as Markdown."""

import msgspec

from flyball.core.notice import Notice


def notice_of(body: dict[str, object]) -> Notice:
    """The body of a message of the outbox. Raises: msgspec.ValidationError: it is no notice."""
    return msgspec.convert(body, Notice)


def lines(notice: Notice) -> list[str]:
    """What a person needs besides the title, line by line."""
    found = [notice.why] if notice.why else []
    found += [f"Taken by {notice.by}."] if notice.by else []
    if notice.event in ("raised", "escalated"):
        found += [notice.detail] if notice.detail else []
    found.append(f"{notice.urgency} {notice.alert}, cause {notice.cause}, since {notice.since}")
    found.append(f"For {', '.join(notice.to) or 'nobody by name'}; owner {notice.owner}")
    found += [f"Incident {notice.incident}"] if notice.incident else []
    found.append(f"Runbook {notice.runbook}: {notice.runbook_url or f'flyball runbook show {notice.runbook}'}")
    found += [f"{name}: {value}" for name, value in sorted(notice.labels.items())]
    if notice.event in ("raised", "escalated") and not notice.test:
        found.append(f"Take it: flyball alerts ack {notice.alert}")
    return found


def text(notice: Notice) -> str:
    """Title and all lines."""
    return "\n\n".join([notice.title, *lines(notice)])
