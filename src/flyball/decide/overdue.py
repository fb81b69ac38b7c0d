"""What should have been done by now and was not: digests by the calendar, drills and the like by their interval."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from flyball.core.clock import moment, timestamp
from flyball.core.declared.review import Period
from flyball.core.record import Record
from flyball.decide.calendar import Span, last_whole


class Overdue(Record):
    """One thing that was not done in time. Missed moments count once: what is wanted is a state, not runs."""

    what: str  # `digest-weekly`, `drill-disaster`
    due_at: str  # RFC 3339, UTC: since then it should have been done
    last_at: str  # when it was done last; empty: never
    why: str

    @property
    def cause(self) -> str:
        """Fingerprint of the cause: `overdue/digest-weekly`."""
        return f"overdue/{self.what}"


def due_digests(
    wanted: Sequence[Period], *, written: Mapping[str, str], began_at: str, now: str
) -> tuple[tuple[Period, Span], ...]:
    """The newest whole period of each wanted digest, where the service was there in it and nobody has written it up.

    Args:
        written: period -> end of the newest one that was written (`RoutineState.digests`).
        began_at: when the service began, RFC 3339, UTC; empty: it has not.

    >>> due_digests(("weekly",), written={}, began_at="2026-11-20T10:00:00Z", now="2026-11-23T00:00:00Z")[0][1].days
    7.0
    """
    if not began_at:
        return ()
    spans = [(period, last_whole(period, moment(now))) for period in wanted]
    began = moment(began_at)
    done = {period: moment(until) for period, until in written.items()}
    return tuple(
        (period, span)
        for period, span in spans
        if began < span.until and (period not in done or done[period] < span.until)
    )


def overdue_digests(
    wanted: Sequence[Period], *, written: Mapping[str, str], began_at: str, now: str, grace_s: float
) -> tuple[Overdue, ...]:
    """Digests that are due for longer than `grace_s` seconds."""
    found = []
    for period, span in due_digests(wanted, written=written, began_at=began_at, now=now):
        late = span.until + timedelta(seconds=grace_s)
        if moment(now) >= late:
            last = written.get(period, "")
            told = f"the last one goes up to {last}" if last else "none was ever written"
            why = f"the {period} digest up to {timestamp(span.until)} is not there; {told}"
            found.append(Overdue(what=f"digest-{period}", due_at=timestamp(late), last_at=last, why=why))
    return tuple(found)


def overdue_since(what: str, *, every_s: float, last_at: str, began_at: str, now: str) -> Overdue | None:
    """A thing that is wanted at least every so many seconds, counted from the last time, or from the beginning.

    Args: what: `drill-disaster`. last_at, began_at: RFC 3339, UTC; empty: never.

    >>> overdue_since("drill-disaster", every_s=60, last_at="", began_at="2026-11-20T10:00:00Z",
    ...               now="2026-11-20T10:01:00Z").why
    'drill-disaster was never done, and is wanted every 60 s'
    """
    since = last_at or began_at
    if not since:
        return None
    due = moment(since) + timedelta(seconds=every_s)
    if moment(now) < due:
        return None
    told = f"was done last at {last_at}" if last_at else "was never done"
    every = f"{every_s / 86_400:g} days" if every_s >= 86_400 else f"{every_s:g} s"
    return Overdue(what=what, due_at=timestamp(due), last_at=last_at, why=f"{what} {told}, and is wanted every {every}")
