"""Why nobody is told of a cause that stands: each reason ends by itself, and then it is told. Pure."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from flyball.control.alerts.due import Due
from flyball.control.alerts.table import explained_by
from flyball.control.decision import Situation, elapsed_s
from flyball.control.state.alert_causes import family
from flyball.control.state.alert_state import AlertBook
from flyball.control.state.healing_state import SLOW
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.duration_words import in_words
from flyball.core.facts.alert import HeldBy, Urgency
from flyball.core.health import OF_SUPPLY
from flyball.core.record import Record
from flyball.core.routing import ArmCounts
from flyball.core.service import Alerts


class Reason(Record):
    """Why nobody is told."""

    by: HeldBy
    why: str
    behind: str = ""  # the cause that it is a symptom of; empty: of none
    incident: str = ""  # that `why` names, while it is open; empty: none


def reason_to_hold(
    due: Due, told: Mapping[str, Urgency], standing: Mapping[str, Due], situation: Situation, alerts: Alerts
) -> Reason | None:
    """None: it is told. Told: causes that somebody has been told of, and how loudly, with those of this plan. Standing:
    all that is due."""
    return (
        _silenced(due, situation)
        or _of_canary(due, situation, alerts)
        or _healing(due, situation, alerts)
        or _inhibited(due, told, standing, situation)
        or _with_its_cause(due, standing, situation, alerts)
        or _past(due, standing, situation)
        or _flapping(due, situation, alerts)
    )


def explaining(due: Due, standing: Mapping[str, Due]) -> Iterator[Due]:
    """What is due and explains it: behind a page another page only."""
    for cause, one in standing.items():
        if _explains(cause, due) and (one.pages or not due.pages):
            yield one


def silence_of(cause: str, name: str, book: AlertBook, now: str) -> e.AlertsSilenced | None:
    """The silence that is in force for a cause, by its fingerprint or its name. After its end there is none."""
    for silence in book.silences.values():
        matched = fnmatchcase(cause, silence.match) or fnmatchcase(name, silence.match)
        if matched and moment(silence.until) > moment(now):
            return silence
    return None


def flaps(cause: str, book: AlertBook, alerts: Alerts, now: str) -> bool:
    """Whether it has come more often of late than anybody wants to hear."""
    times = book.came.get(cause) or book.resolved.get(cause, ())
    return sum(elapsed_s(at, now) < alerts.flap.within_s for at in times) > alerts.flap.times


def _silenced(due: Due, situation: Situation) -> Reason | None:
    silence = silence_of(due.cause, due.name, situation.state.alerts, situation.now)
    if silence is None:
        return None
    why = f"{silence.by} wants to hear nothing of {silence.match} until {silence.until}: {silence.why}"
    return Reason(by="silenced", why=why)


def _of_canary(due: Due, situation: Situation, alerts: Alerts) -> Reason | None:
    """Errors and slow answers of a candidate that its rollout is judging at this moment. Only where the champion is
    seen to be well, and no longer than a rollout needs to judge it: what stands after that is told."""
    state, observed = situation.state, situation.observed
    if not alerts.canary_quiet or due.severity == "failed" or family(due.cause) not in ("errors", "latency"):
        return None
    if state.rollout is None or state.routing is None or not state.routing.weight:
        return None
    since = due.since or (state.alerts.came.get(due.cause) or ("",))[-1]
    if (
        observed is None
        or observed.counts is None
        or not since
        or elapsed_s(since, situation.now) >= alerts.flap.calm_s
    ):
        return None
    if not _candidates(due, observed.counts.champion, observed.counts.candidate):
        return None
    why = f"the candidate of rollout {state.rollout.rollout} has them, and its guardrails judge it"
    return Reason(by="canary", why=why)


def _candidates(due: Due, champion: ArmCounts, candidate: ArmCounts) -> bool:
    """Whether what is seen is the candidate's alone. Without rows of both arms nobody can say so."""
    if not champion.requests or not candidate.requests:
        return False
    errors = family(due.cause) == "errors"
    ours = (champion.errors if errors else champion.slow) / champion.requests
    its = (candidate.errors if errors else candidate.slow) / candidate.requests
    return its > 2 * ours and not (errors and due.limit is not None and ours > due.limit)


def _healing(due: Due, situation: Situation, alerts: Alerts) -> Reason | None:
    """A remedy at once may make telling needless. A slow one takes days, and somebody hears of it meanwhile."""
    if not alerts.wait_for_remedy or due.severity == "failed" or due.exhausted:
        return None
    for tried in situation.state.healing.under_way:
        begun = tried.begun
        if tried.ended:
            continue  # it was taken away: it helps nobody any more
        if begun.cause == due.cause and begun.kind not in SLOW and moment(begun.verify_by) > moment(situation.now):
            why = f"remedy {begun.remedy} ({begun.kind.replace('_', ' ')}) has until {begun.verify_by}"
            return Reason(by="healing", why=why)
    return None


def _with_its_cause(due: Due, standing: Mapping[str, Due], situation: Situation, alerts: Alerts) -> Reason | None:
    """A symptom of what a remedy is busy with waits as long as it does: else one outage would be told by its symptom,
    and once more by itself."""
    if due.severity == "failed" or due.exhausted:
        return None
    for one in explaining(due, standing):
        if (waits := _healing(one, situation, alerts)) is not None:
            why = f"{waits.why} against {one.cause}, and this is a symptom of it"
            return Reason(by="healing", why=why, behind=one.cause)
    return None


def _inhibited(
    due: Due, told: Mapping[str, Urgency], standing: Mapping[str, Due], situation: Situation
) -> Reason | None:
    """A symptom of something that is known: of a cause that was told, or for a ticket of an incident that is open. A
    page only steps back behind another page. Of several it stays behind the one that it is held behind already."""
    families, root = explained_by(due.cause, due.sli), family(due.cause)
    held = situation.state.alerts.held.get(due.cause)
    for cause, urgency in sorted(told.items(), key=lambda pair: held is None or pair[0] != held.behind):
        if not _explains(cause, due) or _over_before(cause, due, standing, situation):
            continue
        if not due.pages or urgency == "page":
            return Reason(by="inhibited", why=f"{cause} is known, and this is a symptom of it", behind=cause)
    if due.pages:
        return None
    for incident in situation.state.incidents.open.values():
        upstream = (
            incident.opened.kind == "upstream" and "upstream" in families and root not in OF_SUPPLY
        )  # none of them explains another
        if incident.cause != due.cause and (upstream or family(incident.cause) in families):
            name = incident.opened.incident
            why = f"incident {name} ({incident.cause}) is open and explains it"
            return Reason(by="inhibited", why=why, behind=incident.cause, incident=name)
    return None


def _past(due: Due, standing: Mapping[str, Due], situation: Situation) -> Reason | None:
    """A burn rate reads back: what waited behind an outage is no page when that is over, only because it still sees it.
    As soon as its short window reaches back no further, whatever burns is something else."""
    book, now = situation.state.alerts, situation.now
    held = book.held.get(due.cause)
    if held is None or held.behind in ("", *standing) or not due.pages:
        return None
    gone = book.gone.get(held.behind)
    if gone is None or elapsed_s(gone, now) >= due.reads_back_s:
        return None
    why = f"{held.behind} was until {gone}, and the {in_words(due.reads_back_s)} that it is read over reach back to it"
    return Reason(by="past", why=why, behind=held.behind)


def _over_before(cause: str, due: Due, standing: Mapping[str, Due], situation: Situation) -> bool:
    """Whether it had gone when `due` came: its alert stays open for the calm time, and explains nothing new in it."""
    book = situation.state.alerts
    gone, came = book.gone.get(cause), book.came.get(due.cause, ())
    if gone is None or cause in standing or book.stands(cause):
        return False
    since = due.since or (came[-1] if came else "")
    return bool(since) and moment(since) > moment(gone)


def _explains(cause: str, due: Due) -> bool:
    """Whether `due` may be a symptom of it."""
    return cause != due.cause and (family(cause) in explained_by(due.cause, due.sli) or cause == family(due.cause))


def _flapping(due: Due, situation: Situation, alerts: Alerts) -> Reason | None:
    """It comes and goes. Once it has stayed for long enough it is no flap; a page of which nobody knows how long it has
    stayed is none."""
    book, now = situation.state.alerts, situation.now
    if not flaps(due.cause, book, alerts, now):
        return None
    came = book.came.get(due.cause)
    if not came and due.pages:
        return None
    if came and elapsed_s(came[-1], now) >= alerts.flap.stays_s:
        return None
    return Reason(by="flapping", why=f"it came more than {alerts.flap.times} times in {alerts.flap.within_s:g} s")
