"""What a destination is told of an alert: complete in itself, in the words of no vendor."""

from typing import Literal

from flyball.core.facts.alert import Urgency
from flyball.core.record import Record

NoticeEvent = Literal["raised", "acked", "escalated", "resolved"]


class Notice(Record):
    """One message about one alert. Whoever gets it twice, or late, needs no other."""

    id: str  # of this message, the same through all attempts
    event: NoticeEvent
    service: str
    alert: str
    cause: str  # fingerprint; with the service it is what to deduplicate by
    name: str  # CamelCase
    urgency: Urgency
    summary: str
    detail: str  # Markdown
    runbook: str
    runbook_url: str | None
    owner: str
    to: tuple[str, ...]  # who is told now
    at: str  # of this event, RFC 3339, UTC
    since: str  # when the alert was raised
    incident: str | None = None
    labels: dict[str, str] = {}
    by: str = ""  # who took it
    why: str = ""  # of this event
    test: bool = False

    @property
    def key(self) -> str:
        """What all messages of one cause share, at whatever vendor.

        A test shares its key with no real alert, or it would end one.
        """
        return f"flyball/{self.service}/{f'test/{self.alert}' if self.test else self.cause}"

    @property
    def title(self) -> str:
        """One line: what happened, to what, where."""
        said = {"raised": "", "acked": "taken: ", "escalated": "nobody has taken it yet: ", "resolved": "resolved: "}
        test = "[TEST] " if self.test else ""
        return f"{test}{said[self.event]}{self.name} of {self.service}: {self.summary}"
