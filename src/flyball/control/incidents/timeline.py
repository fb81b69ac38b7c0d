"""What happened around an incident: its facts, those of the service from its beginning to its end, and from some time
before what may have caused it: what was deployed, declared, delivered, said by a person, drilled, or seen to change.

Each line is of one kind, by its type. A declaration says which sections it changed, so that a change of the data
contract or of the rollout is seen beside what came after it.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from flyball.control.alerts.table import row_of
from flyball.control.incidents.first_alert import first_alert
from flyball.control.incidents.tried import tried
from flyball.control.narrate import sentence
from flyball.control.unanswered import Silence, silences
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.errors import NotFound
from flyball.core.facts.storage import EXAMPLES, examples_place
from flyball.core.ledger import Entry
from flyball.core.record import Record

KINDS: Mapping[str, str] = {  # kind of a line, by the first part of its type, or by the whole of it
    **dict.fromkeys(("signal", "diagnosis", "trigger"), "signal"),
    **dict.fromkeys(("health", "budget", "access"), "health"),
    **dict.fromkeys(("champion", "rollback", "rollout", "routing", "step", "ab", "release.wanted"), "deployment"),
    **dict.fromkeys(("approval", "exception", "ticket", "hold"), "word"),
    **dict.fromkeys(("service.declared",), "declaration"),
    **dict.fromkeys(("snapshot", "backfill", "storage"), "data"),
    **dict.fromkeys(("training", "release", "gates", "run", "retrain", "evidence", "reproduction"), "training"),
    **dict.fromkeys(("decision",), "decision"),
    **dict.fromkeys(("remedy", "fallback"), "remedy"),
    **dict.fromkeys(("alert", "alerts", "silence"), "alert"),
    **dict.fromkeys(("incident", "forensics"), "incident"),
    **dict.fromkeys(("drill",), "drill"),
    **dict.fromkeys(("service", "runbook", "digest", "backup"), "word"),
    **dict.fromkeys(("process", "command"), "process"),
}
MAY_CAUSE = ("deployment", "declaration", "data", "drill", "signal", "word")  # kinds that are shown from before it
PEOPLE = (
    *("alert.acked", "alerts", "approval", "backfill", "exception", "runbook"),
    *("service.declared", "service.frozen", "service.thawed"),
)


class TimelineLine(Record):
    seq: int
    at: str  # RFC 3339, UTC
    kind: str
    type: str
    text: str
    automatic: bool  # no person did or said it


class Timeline(Record):
    """An incident from some time before its beginning to its end."""

    incident: str
    service: str
    kind: str
    cause: str
    reason: str
    features: tuple[str, ...]
    began: str | None  # None: nobody knows; it was opened later
    row: int  # of broken data: stream position of the first row of the window that shows it; else 0
    opened_at: str
    closed_at: str | None  # None: it is open
    how: str | None
    closing: str | None  # the reason that it was closed with
    detected_s: float | None
    recovered_s: float | None
    runbook: str  # name of the runbook for its cause: what its alert links to
    forensics: e.ForensicsKept | None
    first_alert: int | None  # `seq` of the alert that told somebody of it first; None: nobody was told
    examples_deleted: str | None  # when the retention of the log deleted its example rows; None: it did not
    since: str  # the first moment that the lines are of
    lines: tuple[TimelineLine, ...]
    tried: tuple[int, ...] = ()  # `seq` of the facts of remedies against it; other lines may tell of other remedies
    unanswered: tuple[Silence, ...] = ()  # when no gateway answered; their facts are among the lines
    left_out: int = 0  # facts since then from before it began that can have caused nothing

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that are kept of it, without what the retention has deleted."""
        kept = self.forensics.files if self.forensics is not None else ()
        return tuple(name for name in kept if not (self.examples_deleted and name == EXAMPLES))

    @property
    def missing(self) -> Mapping[str, str]:
        """Why a file could not be kept, by its name, without what the retention has deleted."""
        found = self.forensics.missing if self.forensics is not None else {}
        return {name: why for name, why in found.items() if not (self.examples_deleted and name == EXAMPLES)}


def timeline(incident: str, entries: Iterable[Entry], *, before_s: float, whole: bool = False) -> Timeline:
    """Of one service's entries, in order. Args: whole: from before it began everything, not its possible causes alone.
    Raises: NotFound: they hold no such incident."""
    known = list(entries)
    opened = next((one for one in known if _is(one.fact, e.IncidentOpened, incident)), None)
    if opened is None or not isinstance(opened.fact, e.IncidentOpened):
        raise NotFound(f"no incident is called {incident!r}", hint="flyball incident list names them")
    closed = next((one for one in known if _is(one.fact, e.IncidentClosed, incident)), None)
    kept = next((one.fact for one in known if isinstance(one.fact, e.ForensicsKept) and _named(one, incident)), None)
    fact = opened.fact
    ended = closed.fact if closed is not None and isinstance(closed.fact, e.IncidentClosed) else None
    began = min(fact.began or opened.at, opened.at)
    since = timestamp(moment(began) - timedelta(seconds=before_s))
    end = closed.at if closed is not None else None
    unanswered = tuple(silences(known, since=since, until=end))
    outages = {each.seq for each in unanswered}  # they may have caused it, and are in no other count
    lines, declared, left_out = [], dict[str, Any](), 0
    for one in known:
        words = sentence(one.fact)
        if isinstance(one.fact, e.ServiceDeclared):
            words, declared = _declared(words, declared, one.fact.declaration), one.fact.declaration
        within = one.at >= since and (end is None or one.at <= end)
        named = _named(one, incident) or one.seq in outages
        if within and not (named or whole or one.at >= began or kind_of(one.type) in MAY_CAUSE):
            left_out += 1
        elif within or named:
            lines.append(_line(one, words))
    return Timeline(
        incident=incident,
        service=str(fact.service),
        kind=fact.kind,
        cause=fact.cause or fact.kind,
        reason=fact.reason,
        features=fact.features,
        began=fact.began or None,
        row=fact.row,
        opened_at=opened.at,
        closed_at=end,
        how=ended.how if ended else None,
        closing=ended.reason if ended else None,
        detected_s=ended.detected_s if ended else None,
        recovered_s=ended.recovered_s if ended else None,
        runbook=row_of(fact.cause or fact.kind).runbook,
        forensics=kept,
        first_alert=first_alert(fact, [one for one in known if began <= one.at and (end is None or one.at <= end)]),
        examples_deleted=next((one.at for one in known if _deletes(one.fact, examples_place(incident))), None),
        since=since,
        lines=tuple(lines),
        unanswered=unanswered,
        tried=tried(fact, known, began=began, end=end),
        left_out=left_out,
    )


def kind_of(name: str) -> str:
    """
    >>> kind_of("rollout.opened"), kind_of("service.declared"), kind_of("service.frozen")
    ('deployment', 'declaration', 'word')
    """
    return KINDS.get(name) or KINDS.get(name.partition(".")[0], "other")


def _line(one: Entry, words: str) -> TimelineLine:
    return TimelineLine(
        seq=one.seq, at=one.at, kind=kind_of(one.type), type=one.type, text=words, automatic=not _by_hand(one)
    )


def _by_hand(one: Entry) -> bool:
    """Whether a person said or did it: it says how their name was proven, or is of a kind that only people say."""
    proof = getattr(one.fact, "proof", None)
    if proof is not None:
        return proof in ("os_user", "token")
    if isinstance(one.fact, e.IncidentClosed):
        return one.fact.how == "person"
    return one.type in PEOPLE or one.type.partition(".")[0] in PEOPLE


def _declared(words: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if not before or not changed:
        return words
    return f"{words}; changed: {', '.join(changed)}"


def _deletes(fact: e.AnyFact, place: str) -> bool:
    return isinstance(fact, e.StorageCollected) and any(each.name == place for each in fact.deleted)


def _is(fact: e.AnyFact, kind: type[e.IncidentOpened | e.IncidentClosed], incident: str) -> bool:
    return isinstance(fact, kind) and fact.incident == incident


def _named(one: Entry, incident: str) -> bool:
    names = {field.name for field in msgspec.structs.fields(type(one.fact))}
    return "incident" in names and getattr(one.fact, "incident", None) == incident
