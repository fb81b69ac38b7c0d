"""What is told of causes that stand, that are gone, and that nobody has taken: the alerts of a service. Pure.

One cause is one alert from its first sight until it is over, however often it is seen. What is due and not told is
said (`AlertHeld`), and told when the reason to hold it is gone and the cause still stands.
"""

from collections.abc import Collection, Iterator

from flyball.control.alerts.due import Due, due, restful
from flyball.control.alerts.holding import Reason, explaining, flaps, reason_to_hold, silence_of
from flyball.control.alerts.repairs import LEFT_OUT
from flyball.control.alerts.table import EXPLAINS, FAILED_RUNBOOK, row_of
from flyball.control.decision import Decision, Situation, elapsed_s
from flyball.control.explained import TRACES_S, explains_kind
from flyball.control.state.alert_causes import family
from flyball.control.state.alert_state import OpenAlert
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.codec import digest
from flyball.core.ids import ServiceName, short
from flyball.core.service import Alerts

ORDER = {known: place for place, known in enumerate(EXPLAINS)}  # what explains others comes first


def plan_alerts(situation: Situation, *, moving: Collection[str] = ()) -> Decision | None:
    """The facts of this moment; None: nobody has anything to hear. Asked again after them it has nothing to say.

    Args: moving: causes about which something else is decided at this moment. They are told or held after that, and
    with them what they explain.
    """
    state, alerts = situation.state, situation.service.alerts
    if alerts is None:
        return _none_any_more(situation)
    if restful(state, situation.service):
        return None
    standing = due(situation)
    facts = (
        *_silences_over(situation),
        *_over(standing, situation, alerts),
        *_told(standing, situation, alerts, moving),
        *_escalated(standing, situation, alerts),
    )
    return _decision(facts) if facts else None


def _decision(facts: tuple[e.AnyFact, ...]) -> Decision:
    said = [f"{fact.name} ({fact.urgency})" for fact in facts if isinstance(fact, e.AlertRaised)]
    said += [f"nothing of {fact.name} ({fact.by})" for fact in facts if isinstance(fact, e.AlertHeld)]
    said += [f"{fact.alert} one level up" for fact in facts if isinstance(fact, e.AlertEscalated)]
    said += [f"{fact.alert} is over" for fact in facts if isinstance(fact, e.AlertResolved)]
    what = f"tell {', '.join(said)}" if said else "a silence is over"
    why = "what stands is told once, to whoever can act on it"
    return Decision(action="alert", what=what, why=why, facts=facts, told=True)


def _none_any_more(situation: Situation) -> Decision | None:
    """The section was taken out of the declaration: what was told is over."""
    book, service = situation.state.alerts, ServiceName(situation.state.service)
    names = [one.raised.alert for one in book.open.values()] + [held.alert for held in book.held.values()]
    why = "the service declares no alerts any more"
    facts = tuple(e.AlertResolved(service=service, alert=name, why=why) for name in names)
    return _decision(facts) if facts else None


def _silences_over(situation: Situation) -> Iterator[e.AnyFact]:
    for silence in situation.state.alerts.silences.values():
        if moment(silence.until) <= moment(situation.now):
            service = ServiceName(situation.state.service)
            yield e.SilenceEnded(
                service=service, silence=silence.silence, by="time", why=f"it was until {silence.until}"
            )


def _over(standing: dict[str, Due], situation: Situation, alerts: Alerts) -> Iterator[e.AnyFact]:
    """Alerts whose cause is gone for long enough, and what was held and never told."""
    book, service = situation.state.alerts, ServiceName(situation.state.service)
    for cause, one in book.open.items():
        if _gone(cause, standing, situation, alerts):
            yield e.AlertResolved(service=service, alert=one.raised.alert, why=f"{cause} is over")
    for cause, held in book.held.items():
        quiet = held.by != "flapping" or not flaps(cause, book, alerts, situation.now)
        if quiet and cause not in book.open and _gone(cause, standing, situation, alerts):
            yield e.AlertResolved(service=service, alert=held.alert, why=f"{cause} went before anybody was told")


def _gone(cause: str, standing: dict[str, Due], situation: Situation, alerts: Alerts) -> bool:
    """Signs and signals have to stay away for a while: one that comes back at once was never gone. While nobody looks
    none is seen to stay away."""
    book = situation.state.alerts
    if cause in standing or book.stands(cause):
        return False
    since = book.gone.get(cause)
    return since is None or (not situation.unseen and elapsed_s(since, situation.now) >= alerts.flap.calm_s)


def _told(
    standing: dict[str, Due], situation: Situation, alerts: Alerts, moving: Collection[str]
) -> Iterator[e.AnyFact]:
    """Raised, or held; what explains others first, so that one plan does not tell both."""
    book = situation.state.alerts
    told = {cause: one.raised.urgency for cause, one in book.open.items()}
    for cause, one in sorted(standing.items(), key=lambda pair: ORDER.get(family(pair[0]), len(ORDER))):
        if cause in moving or any(root.cause in moving for root in explaining(one, standing)):
            continue
        known = book.open.get(cause)
        anew = _anew(one, known, situation) if known is not None else ""
        if known is not None and not anew:
            continue
        reason = reason_to_hold(one, told, standing, situation, alerts)
        if reason is None:
            if known is not None:
                yield e.AlertResolved(service=ServiceName(situation.state.service), alert=known.raised.alert, why=anew)
            told[cause] = "page" if one.pages else "ticket"
            yield _raised(one, situation, alerts)
        elif known is None and _is_news(reason, book.held.get(cause), situation):
            yield e.AlertHeld(
                service=ServiceName(situation.state.service),
                cause=cause,
                name=one.name,
                by=reason.by,
                why=reason.why,
                alert=_name(cause, situation),
                behind=reason.behind,
                incident=reason.incident,
            )


def _is_news(reason: Reason, held: e.AlertHeld | None, situation: Situation) -> bool:
    """Whether the ledger has another reason, or none, or one that names an incident that is closed."""
    if held is None or (held.by, held.behind) != (reason.by, reason.behind):
        return True
    return bool(held.incident) and held.incident not in situation.state.incidents.open


def _anew(one: Due, known: OpenAlert, situation: Situation) -> str:
    """Why what was told is told anew; empty: who was told knows what holds."""
    if one.pages and known.raised.urgency == "ticket":
        return f"{one.cause} is worse than a ticket now: it is a page"
    if _left_over(one, known, situation):
        return f"{one.cause} is real: drill {known.raised.labels['drill']} is over, and it is still seen"
    if one.labels.get(LEFT_OUT) != known.raised.labels.get(LEFT_OUT):
        return f"a backfill has brought rows of {one.cause}; what is left is told anew"
    if one.name != known.raised.name:
        return f"{known.raised.name} is over; what stands of {one.cause} is {one.name}"
    return f"{one.cause} is of {one.incident} now" if _another(one, known, situation) else ""


def _left_over(due: Due, known: OpenAlert, situation: Situation) -> bool:
    """Whether it was told as a drill's and is real: its sign is, or it has no sign and stands longer than a drill's
    traces may. A real fault that began meanwhile would go on under the drill's name."""
    drill = known.raised.labels.get("drill")
    if drill is None:
        return False
    if due.drill is not None:
        return not due.drill
    made = situation.state.healing.drilled.get(drill)
    if made is None:
        return True
    return elapsed_s(made.withdrawn_at or made.begun.until, situation.now) >= TRACES_S


def _another(due: Due, known: OpenAlert, situation: Situation) -> bool:
    """Whether the supply broke anew: its first incident is closed, and who took the alert knows nothing of this one."""
    of = known.raised.incident
    if family(due.cause) != "data_quality" or not of or not due.incident or due.incident == of:
        return False
    return of not in situation.state.incidents.open


def _name(cause: str, situation: Situation) -> str:
    """Of this time: the one under which it was held, else a new one."""
    held = situation.state.alerts.held.get(cause)
    if held is not None and held.alert:
        return held.alert
    return "al-" + short(digest("flyball/alert-name/v1", [situation.state.service, situation.state.version, cause]))


def _raised(due: Due, situation: Situation, alerts: Alerts) -> e.AlertRaised:
    state, row = situation.state, row_of(due.cause)
    owner = alerts.owner or situation.service.metadata.owner
    drill = _drill_of(due, situation)
    summary, detail = due.summary or row.says, due.detail
    if due.exhausted:
        detail = f"{detail}\n\nNo machine heals it any more: {due.exhausted}".strip()
    return e.AlertRaised(
        service=ServiceName(state.service),
        alert=_name(due.cause, situation),
        cause=due.cause,
        name=due.name,
        urgency="page" if due.pages else "ticket",
        summary=f"drill {drill}: {summary}" if drill else summary,
        detail=detail,
        runbook=FAILED_RUNBOOK if due.severity == "failed" else row.runbook,
        owner=owner,
        to=(alerts.levels_at(situation.now)[0] if alerts.levels else (owner,)) if due.pages else (owner,),
        incident=due.incident,
        labels=due.labels | ({"drill": drill} if drill else {}),
    )


def _drill_of(due: Due, situation: Situation) -> str:
    """Of a sign the drill that made it; of another cause the one that runs, if its fault explains it; empty: none."""
    runs = situation.state.healing.drill
    if due.drill is not None or runs is None:
        return due.drill or ""
    return runs.drill if explains_kind(runs, family(due.cause), situation.now) else ""


def _escalated(standing: dict[str, Due], situation: Situation, alerts: Alerts) -> Iterator[e.AnyFact]:
    """Pages that nobody has taken in time, while their cause stands and nobody asked for silence. They go up as the
    levels were when the page was raised: a turn that ends meanwhile wakes nobody twice, and leaves nobody out."""
    now, book = situation.now, situation.state.alerts
    for cause, one in book.open.items():
        level, levels = one.level + 1, alerts.levels_at(one.at)
        if one.raised.urgency != "page" or one.acked is not None or level >= len(levels):
            continue
        stands = cause in standing or book.stands(cause)
        if not stands or silence_of(cause, one.raised.name, book, now) is not None:
            continue
        if (waited := elapsed_s(one.told_at, now)) >= alerts.escalate_s:
            summary = standing[cause].summary if cause in standing else ""
            newer = f"; now: {summary}" if summary not in ("", one.raised.summary) else ""
            yield e.AlertEscalated(
                service=ServiceName(situation.state.service),
                alert=one.raised.alert,
                level=level,
                to=levels[level],
                why=f"nobody took it within {waited:.0f} s{newer}",
            )
