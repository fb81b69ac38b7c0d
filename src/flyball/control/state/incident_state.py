"""Incidents of a service: those that are open, and those of the last day, which a policy counts."""

from datetime import timedelta

from msgspec.structs import replace

from flyball.control.explained import explains_kind
from flyball.control.state.alert_causes import family
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.facts.drill import DrillBegun
from flyball.core.health import Health, Severity
from flyball.core.record import Record

DAY = timedelta(days=1)
GRAVITY: dict[Severity, int] = {"warning": 0, "critical": 1, "failed": 2}


class OpenIncident(Record):
    opened: e.IncidentOpened
    at: str  # RFC 3339, UTC
    gone_at: str = ""  # since when no sign of its cause is told; empty: its cause stands, or nobody knows
    drill: str = ""  # id of the drill that made it; empty: it is real
    champion: str = ""  # of that time
    kept: bool = False  # whether what was there when it was opened has been kept

    @property
    def cause(self) -> str:
        return self.opened.cause or self.opened.kind


class IncidentBook(Record):
    open: dict[str, OpenIncident] = {}  # by id
    day: tuple[tuple[str, str], ...] = ()  # when, and cause, of those opened in the last 24 hours; drills left out
    known: dict[str, Severity] = {}  # causes that stood when their incident was closed, and how grave they were
    of_drills: frozenset[str] = frozenset()  # of these, causes whose incident was a drill's: a real one is not known
    signs: dict[str, Severity] = {}  # by cause, as they were told last

    def of_cause(self, cause: str) -> OpenIncident | None:
        return next((each for each in self.open.values() if each.cause == cause), None)

    def is_known(self, cause: str, severity: Severity, *, real: bool) -> bool:
        """Whether its incident was closed while it stood, and it is no graver since. Real: no drill makes it."""
        known = self.known.get(cause)
        if real and cause in self.of_drills:
            return False
        return known is not None and GRAVITY[severity] <= GRAVITY[known]

    def in_a_day(self, cause: str, now: str) -> int:
        """How many of a cause were opened in the 24 hours before now."""
        since = timestamp(moment(now) - DAY)
        return sum(at >= since and of == cause for at, of in self.day)


def folded(
    book: IncidentBook, fact: e.AnyFact, at: str, *, drill: DrillBegun | None = None, champion: str | None = None
) -> IncidentBook:
    """One fact further; one that is of no incident changes nothing. Args: drill: that runs. champion: that serves."""
    match fact:
        case e.IncidentOpened(incident=name):
            of_drill = _of_drill(fact, drill, at)
            opened = OpenIncident(opened=fact, at=at, drill=of_drill, champion=champion or "")
            since = timestamp(moment(at) - DAY)
            day = tuple(each for each in book.day if each[0] >= since)
            day = day if of_drill else (*day, (at, opened.cause))
            return replace(book, open=book.open | {name: opened}, day=day)
        case e.IncidentClosed(incident=name, how=how):
            left = {each: one for each, one in book.open.items() if each != name}
            known, made = _still_there(book, name, how), name in book.open and bool(book.open[name].drill)
            of_drills = (book.of_drills | known.keys()) if made else book.of_drills - known.keys()
            return replace(book, open=left, known=book.known | known, of_drills=of_drills)
        case e.ForensicsKept(incident=name) if name in book.open:
            return replace(book, open=book.open | {name: replace(book.open[name], kept=True)})
        case e.HealthChanged(health=health):
            return _told(book, health, at)
        case _:
            return book


def _of_drill(fact: e.IncidentOpened, drill: DrillBegun | None, at: str) -> str:
    """Which drill made it; of an incident of an earlier version the one that ran, if its fault explains it."""
    if fact.drill is not None:
        return fact.drill
    told = fact.kind == "data_quality" and explains_kind(drill, family(fact.cause or fact.kind), at)
    return (drill.drill if drill is not None else "unknown") if told or fact.kind == "drill" else ""


def _told(book: IncidentBook, health: Health, at: str) -> IncidentBook:
    """What has no sign any more is gone, unless nothing was measured."""
    signs: dict[str, Severity] = {}
    for sign in health.signs:
        before = signs.get(sign.key, sign.severity)
        signs[sign.key] = max(before, sign.severity, key=GRAVITY.__getitem__)
    if health.state == "UNKNOWN":
        signs = book.signs | signs
    there = {
        name: replace(one, gone_at="" if one.cause in signs or health.state == "UNKNOWN" else one.gone_at or at)
        for name, one in book.open.items()
    }
    known = {cause: grave for cause, grave in book.known.items() if cause in signs}
    return replace(book, open=there, signs=signs, known=known, of_drills=book.of_drills & known.keys())


def _still_there(book: IncidentBook, name: str, how: str) -> dict[str, Severity]:
    """What stands although the incident of it is closed: nobody wants another one of it."""
    if name not in book.open:
        return {}
    one = book.open[name]
    if one.opened.kind == "data_quality":
        return {cause: grave for cause, grave in book.signs.items() if cause.partition("/")[0] == "data_quality"}
    return {one.cause: book.signs[one.cause]} if how == "person" and one.cause in book.signs else {}
