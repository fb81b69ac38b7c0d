"""What a review needs of a home: the facts of each service, its declaration, and rows of its prediction log."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl

from flyball.adapters.clock import SystemClock
from flyball.adapters.prediction_log.answers import Answers as Log
from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.control.review.outside import Answers, Outside
from flyball.control.review.past import Past
from flyball.control.review.reading import past_of
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.errors import NotFound
from flyball.core.ledger import Entry, Ledger
from flyball.core.prediction import NO_ANSWER
from flyball.core.record import Record
from flyball.core.service import Service
from flyball.decide.calendar import Span

_ANSWERED = ("answered", "fallback", "quarantined")


class Reviewed(Record):
    """One service with all its facts."""

    service: str
    entries: tuple[Entry, ...]
    past: Past
    declared: Service

    def state(self) -> ServiceState:
        """Where the facts leave it."""
        found = ServiceState(service=self.service)
        for entry in self.entries:
            found = fold(found, entry)
        return found


def clock() -> datetime:
    """Now, as whoever types a verb has it."""
    return SystemClock().now()


def reviewed(home: Home, service: str | None) -> list[Reviewed]:
    """One service, or every declared one of the home, by name. Raises: NotFound."""
    if not home.has_ledger:
        raise NotFound(f"no ledger in {home.root}", hint="name the folder by --home or FLYBALL_HOME")
    with closing(open_ledger(home, told=False)) as ledger:
        names = [service] if service is not None else sorted({entry.subject for entry in ledger.read()})
        found = [one for name in names if (one := read_service(ledger, name)) is not None]
    if service is not None and not found:
        raise NotFound(f"no declared service is called {service!r} in {home.root}", hint="flyball status lists them")
    return found


def read_service(ledger: Ledger, name: str) -> Reviewed | None:
    """None: the ledger has no declaration of it."""
    entries = tuple(ledger.read(subject=name))
    newest = None
    for entry in entries:
        if isinstance(entry.fact, e.ServiceDeclared):
            newest = entry.fact
    if newest is None:
        return None
    declared = msgspec.convert(newest.declaration, Service)
    return Reviewed(service=name, entries=entries, past=past_of(entries, name), declared=declared)


def outside(home: Home, of: Reviewed, span: Span, now: datetime) -> Outside:
    """What the ledger does not hold. Where the home has no log of the service, nobody could say."""
    hours = None
    served = [moment(each.at) for each in of.past.deployments]
    if served:
        until = min(span.until, now)
        hours = max(0.0, (until - max(span.since, min(served))).total_seconds() / 3_600)
    return Outside(answers=answers(home, of, span), serving_hours=hours)


def answers(home: Home, of: Reviewed, span: Span) -> Answers | None:
    """Rows of a span by what became of them, day by day. None: there is no log."""
    if of.service not in Log(home.telemetry("any").parent).services():
        return None
    found = tables(
        home.telemetry(of.service), ("predictions",), since=span.since.timestamp(), until=span.until.timestamp()
    )["predictions"]
    counted = (
        found.group_by((pl.col("at") // 86_400).cast(pl.Int64).alias("day"), "outcome")
        .agg(rows=pl.len())
        .collect(engine="streaming")
        .sort("day", "outcome")
    )
    total: dict[str, int] = {}
    days: dict[int, list[int]] = {}
    for row in counted.iter_rows(named=True):
        total[row["outcome"]] = total.get(row["outcome"], 0) + row["rows"]
        day = days.setdefault(row["day"], [0, 0])
        if row["outcome"] in _ANSWERED:
            day[0] += row["rows"]
        elif row["outcome"] in NO_ANSWER:
            day[1] += row["rows"]
    return Answers(
        answered=sum(total.get(name, 0) for name in _ANSWERED),
        failed=total.get("failed", 0),
        shed=total.get("shed", 0),
        rejected=total.get("rejected", 0),
        days=tuple((_day(number), good, bad) for number, (good, bad) in sorted(days.items())),
        missing=_missing(of, span, min(days, default=None)),
    )


def _missing(of: Reviewed, span: Span, first: int | None) -> str:
    """Retention may have deleted rows of the span: the ledger says when it deleted something."""
    retention_s = of.declared.serving.log.retention_s
    deleted = any(
        isinstance(entry.fact, e.StorageCollected) and any(each.kind == "predictions" for each in entry.fact.deleted)
        for entry in of.entries
    )
    if not deleted or retention_s is None:
        return ""
    begins = "no row is left" if first is None else f"the rows that are left begin on {_day(first)}"
    return f"rows older than {retention_s / 86_400:g} days are deleted: {begins}" if _began(of) < span.until else ""


def _began(of: Reviewed) -> datetime:
    return moment(of.entries[0].at)


def _day(number: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number)).date().isoformat()
