"""Time as a port: the real clock in `up`, a simulated one in `replay`."""

from datetime import UTC, datetime
from typing import Protocol

CLOCK_SKEW_S = 300.0  # that the clock of who sends something may be ahead of ours


class Clock(Protocol):
    """Wall time for records, monotonic time for durations."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds: the only form of time on the ledger.

    >>> timestamp(datetime(2026, 11, 21, 10, 0, tzinfo=UTC))
    '2026-11-21T10:00:00.000000Z'
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """The inverse of `timestamp`.

    >>> timestamp(moment("2026-11-21T10:00:00.000000Z"))
    '2026-11-21T10:00:00.000000Z'
    """
    return datetime.fromisoformat(text)
