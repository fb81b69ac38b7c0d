"""Which causes stand at this moment and deserve that somebody is told, each once. Pure."""

from collections.abc import Iterator

from msgspec.structs import replace

from flyball.control.alerts.evidence import (
    of_burning,
    of_given_up,
    of_pages,
    of_rollback,
    of_sign,
    of_signal,
    of_spent,
    of_ticket,
)
from flyball.control.alerts.repairs import owed
from flyball.control.alerts.table import BURNING, WEIGHTS, row_of
from flyball.control.decision import Situation, elapsed_s
from flyball.control.failing import called, failing
from flyball.control.overdue import overdue
from flyball.control.refusing import refusal
from flyball.control.state.alert_causes import alarming, cause_of
from flyball.control.state.healing_state import Tried
from flyball.control.state.service_state import ServiceState
from flyball.core.declared.objectives import Sli
from flyball.core.health import Severity
from flyball.core.promised import freezes, objectives_of
from flyball.core.record import Record
from flyball.core.service import Service

ROLLBACK_S = 7 * 86_400.0  # a rollback that nobody takes note of is no news any more
FED = ("drift", "risk", "trend")  # tickets whose trigger is something that somebody ought to know


class Due(Record):
    """A cause that stands."""

    cause: str
    severity: Severity
    called: str = ""  # empty: what the table says
    summary: str = ""  # empty: what the table says
    detail: str = ""  # Markdown
    incident: str | None = None
    labels: dict[str, str] = {}
    exhausted: str = ""  # why no machine heals it any more
    limit: float | None = None  # of a sign, in its unit
    felt: bool = False  # of a sign: clients feel it, whatever its severity
    since: str = ""  # of a sign, RFC 3339, UTC
    reads_back_s: float = 0.0  # of a burn rate: its short window
    drill: str | None = None  # of a sign: which drill made it, empty where it is real; None: it is no sign
    sli: Sli | None = None  # of a budget: what it is of; None: nobody declares it any more

    @property
    def name(self) -> str:
        return self.called or row_of(self.cause).name

    @property
    def pages(self) -> bool:
        return bool(self.exhausted) or self.felt or row_of(self.cause).pages(self.severity)


def restful(state: ServiceState, service: Service) -> bool:
    """Whether there is nothing that an alert could be of: asked each round of each service, so it is cheap."""
    book, review = state.alerts, service.review
    return not (
        review.digests
        or service.drills
        or service.review.backup_every_s is not None
        or len(book.pages) > review.pages_per_week
        or book.open
        or book.held
        or book.silences
        or book.given_up
        or book.rolled_back
        or state.signals
        or state.health.health.signs
        or state.health.spent
        or state.health.burning
        or state.health.refused
        or state.incidents.open
        or state.ticket
        or state.healing.tried
        or state.healing.unrepaired
        or refusal(state) is not None
        or failing(state)
    )


def due(situation: Situation) -> dict[str, Due]:
    """By cause, those first that others may be explained by. Of two sources of one cause the graver counts."""
    found: dict[str, Due] = {}
    for each in _found(situation):
        known = found.get(each.cause)
        if known is None or WEIGHTS.index(each.severity) > WEIGHTS.index(known.severity):
            found[each.cause] = each
    incidents, exhausted = situation.state.incidents, _exhausted(situation.state)
    for cause, each in found.items():
        incident = incidents.of_cause(cause)
        why = exhausted[cause].begun.why if cause in exhausted else ""
        if incident is not None or why:
            name = incident.opened.incident if incident is not None else None
            found[cause] = replace(each, incident=name, exhausted=why)
    return found


def _found(situation: Situation) -> Iterator[Due]:
    state = situation.state
    yield from _signs(situation)
    yield from _signals(situation)
    for one in state.incidents.open.values():
        if one.opened.kind != "drill":
            summary, features = one.opened.reason, ", ".join(one.opened.features)
            detail = one.opened.reason + (f"\n\nFeatures: {features}." if features else "")
            yield Due(cause=one.cause, severity="warning", summary=summary, detail=detail)
    slis = _slis(situation)
    for burning in state.health.burning.values():
        grave: Severity = "critical" if burning.urgency == "page" else "warning"
        summary, detail, labels = of_burning(burning)
        yield Due(
            cause=burning.cause,
            severity=grave,
            called=BURNING,
            summary=summary,
            detail=detail,
            labels=labels,
            reads_back_s=burning.short_s,
            sli=slis.get(burning.objective),
        )
    for objective, spent in state.health.spent.items():
        summary, detail, labels = of_spent(spent, frozen=freezes(situation.service, objective))
        yield Due(
            cause=f"budget/{objective}",
            severity="warning",
            summary=summary,
            detail=detail,
            labels=labels,
            sli=slis.get(objective),
        )
    for cause, summary, detail, labels in owed(situation):
        yield Due(cause=cause, severity="warning", summary=summary, detail=detail, labels=labels)
    for key, refused in state.health.refused.items():
        detail = f"{refused.why}. Credentials: {key}."
        yield Due(cause=f"access/{key}", severity="warning", summary=f"a client is refused: {key}", detail=detail)
    for kind, given_up in state.alerts.given_up.items():
        summary, detail = of_given_up(given_up)
        yield Due(cause=f"command/{kind}", severity="warning", summary=summary, detail=detail)
    if (why := refusal(state)) is not None:
        summary = "the loop's own check refuses what the loop would do, and nothing is done by itself"
        yield Due(cause="check", severity="warning", summary=summary, detail=f"It would break these rules: {why}")
    for planner, why in failing(state).items():
        summary = f"{called(planner)} fails, and the loop begins nothing new by itself"
        detail = f"It raised {why}. The log of the controller has the whole trace."
        yield Due(cause=f"planner/{planner}", severity="warning", summary=summary, detail=detail)
    for cause, tried in _exhausted(state).items():
        if tried.verified is None:  # later it stands by itself, or does not
            summary = f"no remedy against {cause} helped"
            yield Due(cause=cause, severity="warning", summary=summary, detail=tried.begun.why)
    ticket = state.ticket
    if ticket is not None and (ticket.reason in FED or ticket.opened.rung in ("suggest", "approval")):
        summary, detail, labels = of_ticket(ticket)
        yield Due(cause=f"retrain/{ticket.reason}", severity="warning", summary=summary, detail=detail, labels=labels)
    yield from _events(situation)
    yield from _overdue(situation)


def _signs(situation: Situation) -> Iterator[Due]:
    newest = {sign.key: sign for sign in situation.health.signs}
    for sign in situation.state.health.health.signs:
        seen = newest.get(sign.key, sign)
        summary, detail = of_sign(seen, situation.now)
        yield Due(
            cause=sign.key,
            severity=sign.severity,
            summary=summary,
            detail=detail,
            limit=sign.limit,
            felt=seen.felt,
            since=sign.since,
            drill=sign.drill,
        )


def _slis(situation: Situation) -> dict[str, Sli]:
    """Of each objective that is declared; asked only where a budget is told of."""
    health = situation.state.health
    if not health.burning and not health.spent:
        return {}
    return {each.name: each.sli for each in objectives_of(situation.service)}


def _signals(situation: Situation) -> Iterator[Due]:
    """Of drift and loss only what the trigger stands for: one noisy window asks for nobody."""
    state, fired = situation.state, situation.learning.fired
    for raised in state.signals.values():
        signal = raised.signal
        cause = cause_of(signal.signal, signal.feature)
        validated = {"psi": fired == "drift", "shift": fired == "drift", "risk": fired in ("risk", "trend")}
        if alarming(signal) and validated.get(signal.signal, True):
            summary, detail = of_signal(signal)
            yield Due(cause=cause, severity="warning", summary=summary, detail=detail)


def _events(situation: Situation) -> Iterator[Due]:
    """What happened, as opposed to what stands: told until somebody has taken note, or it is old."""
    book, now = situation.state.alerts, situation.now
    back = book.rolled_back
    if back is not None and elapsed_s(back.at, now) < ROLLBACK_S:
        summary, detail, labels = of_rollback(back.fact)
        yield Due(cause="rollback", severity="warning", summary=summary, detail=detail, labels=labels)
    most = situation.service.review.pages_per_week
    lately = [page for page in book.pages if elapsed_s(page.at, now) < 7 * 86_400.0]
    for person in dict.fromkeys(person for page in lately for person in page.to):
        pages = [page for page in lately if person in page.to]
        if len(pages) > most:
            summary, detail = of_pages(person, len(pages), most, drills=sum(bool(page.drill) for page in pages))
            yield Due(cause=f"pages/{person}", severity="warning", summary=summary, detail=detail)


def _overdue(situation: Situation) -> Iterator[Due]:
    """Digests that nobody has written up in time, backups and drills that nobody has made."""
    for one in overdue(situation.state, situation.service, situation.now):
        yield Due(cause=one.cause, severity="warning", summary=one.why, detail=f"Due since {one.due_at}.")


def _exhausted(state: ServiceState) -> dict[str, Tried]:
    """Causes whose policy has come to its last remedy, which is a person, since they came; by cause, the newest."""
    found = {}
    for one in state.healing.tried.values():
        came = state.alerts.came.get(one.begun.cause, ("",))[-1]
        helped = one.verified is not None and (one.verified.helped == "yes" or not came)
        if one.begun.kind == "page" and not one.ended and not helped and one.at >= came:
            found[one.begun.cause] = one
    return found
