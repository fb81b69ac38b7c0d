"""Which span a review looks at: a period of the calendar, or two moments as people write them."""

from datetime import UTC, datetime, timedelta

from flyball.contracts.durations import seconds
from flyball.core.declared.review import Period
from flyball.core.errors import BadInput, Fault
from flyball.decide.calendar import Span, last_whole

DAYS = 30  # where nothing is said


def span_of(since: str | None, until: str | None, period: Period | None, now: datetime) -> Span:
    """A period is the last whole one before `until`, which is now where it is not given; else the last 30 days.

    Raises: BadInput with all faults.
    """
    faults: list[Fault] = []
    end = now if until is None else _moment("--until", until, now, faults)
    begin = None if since is None else _moment("--since", since, now, faults)
    if since is not None and period is not None:
        faults.append(
            Fault(
                where="command line", path="--since", expected="nothing beside --period", found=since, fix="one of them"
            )
        )
    if end is not None and begin is not None and begin >= end:
        faults.append(Fault(where="command line", path="--since", expected=f"before {end}", found=str(begin)))
    if faults or end is None:
        raise BadInput("The span is faulty.", tuple(faults))
    if period is not None:
        return last_whole(period, end)
    return Span(since=begin or end - timedelta(days=DAYS), until=end)


def _moment(option: str, text: str, now: datetime, faults: list[Fault]) -> datetime | None:
    """`24h` ago, or a date or time, UTC unless it says else."""
    ago = seconds(text)
    if ago is not None:
        return now - timedelta(seconds=ago)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        expected = "24h, 7d, 2026-11-26 or 2026-11-26T10:00:00Z"
        faults.append(Fault(where="command line", path=option, expected=expected, found=text))
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
