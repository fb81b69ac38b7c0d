"""When an incident opens and when it is over: from the signs of health, one incident for each cause.

Theory of operation. A service that became UNHEALTHY or FAILED has an incident of the worst sign that is critical; what
else is wrong joins its timeline, and has one of its own only when it is the worst that is left. Late or broken
input is an incident of kind `upstream` also where the service is well otherwise: no training mends it. The quality of
the data has an incident of its own (`decide/incident.py`); while it is open, signs of data quality are part of it, one
that was open before goes on in it, and the worst of all other signs has one beside it.

Hysteresis: an incident is closed when no sign of its cause has been told of for `incidents.settle_s`. A cause that is
back before that goes on with the same incident. UNKNOWN health is no recovery, and neither is a champion that nobody
asks: the time begins when the relief against the cause is taken away. What a person closed while the cause was still
there stays closed until the cause was gone once, or has become graver; the worst of what else is left may open one.
A drill's incident ends where its cause turns out to be real, which then has its own. While the monitor fails none is
closed: the time of a cause that was gone goes on, but nobody has seen it stay away.
"""

import re
from collections.abc import Iterator

from flyball.control.decision import Decision, Situation, elapsed_s
from flyball.control.incidents.closing import detected_s
from flyball.control.marks import row_at
from flyball.control.state.alert_causes import OF_SUPPLY, SILENCE
from flyball.control.state.incident_state import GRAVITY, IncidentBook, OpenIncident
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core import health
from flyball.core.clock import moment
from flyball.core.facts.incident import IncidentKind
from flyball.core.health import Sign
from flyball.core.ids import ServiceName

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")  # in a name that is typed, and is a folder's


def plan_incidents(situation: Situation) -> Decision | None:
    """The facts of incidents that the ledger lacks; None: it lacks none."""
    ended = {fact.incident: fact for fact in (*_over(situation), *_joined(situation), *_real(situation))}
    facts: tuple[e.IncidentOpened | e.IncidentClosed, ...] = (*ended.values(), *_begun(situation))
    if not facts:
        return None
    opened = [fact.incident for fact in facts if isinstance(fact, e.IncidentOpened)]
    closed = [fact.incident for fact in facts if isinstance(fact, e.IncidentClosed)]
    what = [*(["open " + ", ".join(opened)] if opened else []), *(["close " + ", ".join(closed)] if closed else [])]
    why = "; ".join(dict.fromkeys(fact.reason for fact in facts))
    return Decision(action="incident", what=" and ".join(what), why=why, facts=facts, told=True)


def _begun(situation: Situation) -> Iterator[e.IncidentOpened]:
    state = situation.state
    health, book = state.health.health, state.incidents
    grave = [sign for sign in health.signs if sign.severity != "warning"]
    others = [sign for sign in grave if not _is_of_quality(sign, situation)]  # its incident hides no fault of ours
    left = [sign for sign in others if _of_cause(book, sign) is not None or not _is_known(book, sign)]
    worst = min(left, key=_rank, default=None) if health.state in ("UNHEALTHY", "FAILED") else None
    asked = [sign for sign in health.signs if _is_of_supply(sign) and (sign in grave or sign.kind == "freshness")]
    if worst is not None and worst not in asked:
        asked.append(worst)
    taken: set[str] = set()
    for sign in asked:
        cause = sign.key
        left_by = next((one for one in book.open.values() if _is_left_by(one, sign)), None)
        of_data = left_by is not None and left_by.opened.kind == "data_quality"
        known = cause in taken or _of_cause(book, sign) is not None or (_is_of_quality(sign, situation) and not of_data)
        if known or _is_known(book, sign):
            continue
        taken.add(cause)
        kind: IncidentKind = "upstream" if _is_of_supply(sign) else "health"
        if of_data and left_by is not None:
            yield _of_data(sign, left_by, situation)
            continue
        yield e.IncidentOpened(
            service=ServiceName(state.service),
            incident=f"in-{_UNSAFE.sub('-', cause)}-{state.version}",
            kind="drill" if sign.drill else kind,
            reason=f"{_called(state, sign.drill)}: {sign.why}" if sign.drill else sign.why,
            features=(sign.feature,) if sign.feature else (),
            cause=cause,
            began=sign.began,
            drill=sign.drill,
        )


def _of_data(sign: Sign, left_by: OpenIncident, situation: Situation) -> e.IncidentOpened:
    """Data that a drill broke and that are still broken without it: its rows begin where that was seen first."""
    state, began = situation.state, sign.began or situation.now
    return e.IncidentOpened(
        service=ServiceName(state.service),
        incident=f"in-data_quality-{state.version}",
        kind="data_quality",
        reason=sign.why,
        features=left_by.opened.features,
        row=row_at(situation.learning.marks, moment(began).timestamp()) or situation.learning.row,
        began=sign.began,
        drill="",
    )


def _is_known(book: IncidentBook, sign: Sign) -> bool:
    return book.is_known(sign.key, sign.severity, real=not sign.drill)


def _of_cause(book: IncidentBook, sign: Sign) -> OpenIncident | None:
    """The open incident that it goes on in: a real sign goes on in no drill's."""
    one = book.of_cause(sign.key)
    return None if one is not None and _is_left_by(one, sign) else one


def _is_left_by(one: OpenIncident, sign: Sign) -> bool:
    return bool(one.drill) and one.cause == sign.key and sign.drill == ""


def _called(state: ServiceState, drill: str) -> str:
    one = state.healing.drilled.get(drill)
    return f"drill {drill} ({one.begun.fault})" if one is not None else f"drill {drill}"


def _real(situation: Situation) -> Iterator[e.IncidentClosed]:
    """A drill's incident whose cause is real now: the drill's is over, and what is seen since has one of its own."""
    state = situation.state
    for name, one in state.incidents.open.items():
        if not any(_is_left_by(one, sign) for sign in state.health.health.signs):
            continue
        made = state.healing.drilled.get(one.drill)
        over_at = one.gone_at or (made.withdrawn_at if made is not None else "") or situation.now
        of_data = one.opened.kind == "data_quality"
        row = row_at(situation.learning.marks, moment(over_at).timestamp()) if of_data else None
        yield e.IncidentClosed(
            service=ServiceName(state.service),
            incident=name,
            how="recovered",
            reason=f"the drill was over at {over_at}; {one.cause} is real, as what came after that shows",
            row=row or 0,
            over=over_at if of_data else "",
            detected_s=detected_s(one),
            recovered_s=elapsed_s(one.at, over_at),
        )


def _is_of_supply(sign: Sign) -> bool:
    """Whether it is about the rows that come. That none comes, `freshness` without a column, is no fault of the rows:
    a service that nobody asks at night would have an incident each night, and learn nothing meanwhile."""
    return sign.kind in health.OF_SUPPLY and sign.key != SILENCE


def _is_of_quality(sign: Sign, situation: Situation) -> bool:
    """Whether the incident of the data's quality, open or just found, is about it."""
    found = any(isinstance(fact, e.IncidentOpened) for fact in situation.watched)
    return sign.kind == "data_quality" and (found or situation.state.incident is not None)


def _over(situation: Situation) -> Iterator[e.IncidentClosed]:
    if situation.unseen:
        return
    settle_s = situation.service.incidents.settle_s
    for name, one in situation.state.incidents.open.items():
        if one.opened.kind == "data_quality" or not one.gone_at:
            continue
        over_at = _unhidden(situation.state, one)
        if over_at is None or elapsed_s(over_at, situation.now) < settle_s:
            continue
        yield e.IncidentClosed(
            service=ServiceName(situation.state.service),
            incident=name,
            how="recovered",
            reason=f"{one.cause} has not been seen since {over_at}, for {settle_s:g} s at least",
            detected_s=detected_s(one),
            recovered_s=elapsed_s(one.at, over_at),
        )


def _unhidden(state: ServiceState, one: OpenIncident) -> str | None:
    """Since when its cause is gone though the champion is asked. None: a relief against it stands, and while the chain
    answers, or a share is turned away, the champion shows no signs. Of what comes with the rows a relief hides none."""
    if one.cause.split("/")[0] in OF_SUPPLY:
        return one.gone_at
    reliefs = [each for each in state.healing.of_cause(one.cause) if each.begun.kind in ("fall_back", "shed")]
    if any(each.stands for each in reliefs):
        return None
    return max((one.gone_at, *(each.ended_at for each in reliefs)))


def _joined(situation: Situation) -> Iterator[e.IncidentClosed]:
    """An incident of the data's quality that is about to open takes up what is open of its cause."""
    for fact in situation.watched:
        if not isinstance(fact, e.IncidentOpened):
            continue
        same = situation.state.incidents.of_cause(fact.cause or fact.kind)
        if same is not None and same.opened.kind != "data_quality":
            yield e.IncidentClosed(
                service=fact.service,
                incident=same.opened.incident,
                how="joined",
                reason=f"it goes on as {fact.incident}",
                detected_s=detected_s(same),
            )


def _rank(sign: Sign) -> tuple[int, str, str]:
    """The gravest first, of these the one that began first; of these by name, so that the answer is always the same."""
    return -GRAVITY[sign.severity], sign.since, sign.key
