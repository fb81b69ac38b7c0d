"""When no gateway answered: from the facts of gateways that were started anew, each of which says for how long.

What clients asked then is in no count and in no log: there was nobody to count it.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.ledger import Entry
from flyball.core.record import Record


class Silence(Record):
    """A time in which no gateway answered, as far as a controller saw it."""

    seq: int  # of the fact that tells it
    since: str  # RFC 3339, UTC
    until: str


def silence_of(one: Entry) -> Silence | None:
    """What a fact tells of one; None: nothing."""
    match one.fact:
        case e.ProcessStarted(process="gateway", silent_s=silent_s) if silent_s > 0:
            since = timestamp(moment(one.at) - timedelta(seconds=silent_s))
            return Silence(seq=one.seq, since=since, until=one.at)
        case _:
            return None


def silences(entries: Iterable[Entry], *, since: str, until: str | None) -> Iterator[Silence]:
    """Those of which a part lies between two moments. Args: until: None: up to now."""
    for one in entries:
        found = silence_of(one)
        if found is not None and found.until > since and (until is None or found.since < until):
            yield found


def seconds_of(found: Iterable[Silence], *, since: str = "", until: str | None = None) -> float:
    """For how long nobody answered between two moments; what two of them tell counts once.

    >>> first = Silence(seq=1, since="2026-11-27T10:00:00Z", until="2026-11-27T10:00:20Z")
    >>> again = Silence(seq=2, since="2026-11-27T10:00:10Z", until="2026-11-27T10:00:30Z")
    >>> seconds_of([first, again]), seconds_of([first], since="2026-11-27T10:00:15Z", until="2026-11-27T11:00:00Z")
    (30.0, 5.0)
    """
    total, reached = 0.0, since
    for one in sorted(found, key=lambda each: each.since):
        begin, end = max(one.since, reached), one.until if until is None else min(one.until, until)
        if begin < end:
            total, reached = total + (moment(end) - moment(begin)).total_seconds(), end
    return total
