"""Incidents of a service: those that are open, and those of the last day, which a policy counts."""

from datetime import timedelta

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.record import Record

DAY = timedelta(days=1)


class OpenIncident(Record):
    opened: e.IncidentOpened
    at: str  # RFC 3339, UTC

    @property
    def cause(self) -> str:
        return self.opened.cause or self.opened.kind


class IncidentBook(Record):
    open: dict[str, OpenIncident] = {}  # by id
    day: tuple[tuple[str, str], ...] = ()  # when, and cause, of those opened in the last 24 hours; drills left out

    def of_cause(self, cause: str) -> OpenIncident | None:
        return next((each for each in self.open.values() if each.cause == cause), None)

    def in_a_day(self, cause: str, now: str) -> int:
        """How many of a cause were opened in the 24 hours before now."""
        since = timestamp(moment(now) - DAY)
        return sum(at >= since and of == cause for at, of in self.day)


def folded(book: IncidentBook, fact: e.AnyFact, at: str) -> IncidentBook:
    """One fact further; one that is of no incident changes nothing."""
    match fact:
        case e.IncidentOpened(incident=name):
            opened = OpenIncident(opened=fact, at=at)
            since = timestamp(moment(at) - DAY)
            day = tuple(each for each in book.day if each[0] >= since)
            day = day if fact.kind == "drill" else (*day, (at, opened.cause))
            return IncidentBook(open=book.open | {name: opened}, day=day)
        case e.IncidentClosed(incident=name):
            return replace(book, open={each: one for each, one in book.open.items() if each != name})
        case _:
            return book
