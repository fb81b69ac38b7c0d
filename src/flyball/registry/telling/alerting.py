"""Facts about alerts as notices, the same for every receiver: the table of what becomes what.

| fact | notice | to |
|---|---|---|
| alert.raised | raised | the first level |
| alert.escalated | escalated | the level above |
| alert.acked | acked | everybody who was told |
| alert.resolved, of an alert that was told | resolved | everybody who was told |

What was held, and what was never told, is told to nobody.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.declared.alerts import AlertDestination, Alerts
from flyball.core.facts.alert import further
from flyball.core.ledger import Entry
from flyball.core.notice import Notice, NoticeEvent
from flyball.core.record import Record
from flyball.core.runbook_link import link

ONLY = "only"  # label of a test that is for one destination


class Told(Record):
    """An alert that was raised and is not over."""

    raised: e.AlertRaised
    at: str
    to: tuple[str, ...]  # everybody who was told


def followed(told: Mapping[str, Told], entry: Entry) -> Mapping[str, Told]:
    """Alerts that are open after one more entry, by id."""
    match entry.fact:
        case e.AlertRaised(alert=alert):
            return {**told, alert: _told(entry.fact, entry.at)}
        case e.AlertEscalated(alert=alert, to=to) if alert in told:
            return {**told, alert: replace(told[alert], to=further(told[alert].to, to))}
        case e.AlertResolved(alert=alert) if alert in told:
            return {each: one for each, one in told.items() if each != alert}
        case _:
            return told


def notice(told: Mapping[str, Told], entry: Entry, alerts: Alerts) -> Notice | None:
    """What is to be told of this entry. Told: the alerts that were open before it."""
    event: NoticeEvent
    by, why = "", ""
    to: tuple[str, ...] | None = None
    match entry.fact:
        case e.AlertRaised():
            return _notice("raised", _told(entry.fact, entry.at), entry, alerts)
        case e.AlertAcked(alert=alert, by=by, why=why):
            event = "acked"
        case e.AlertEscalated(alert=alert, to=to, why=why):
            event = "escalated"
        case e.AlertResolved(alert=alert, why=why):
            event = "resolved"
        case _:
            return None
    one = told.get(alert)
    return None if one is None else _notice(event, one, entry, alerts, by=by, why=why, to=to)


def _told(raised: e.AlertRaised, at: str) -> Told:
    return Told(raised=raised, at=at, to=raised.to)


def goes_to(found: Notice, destination: AlertDestination) -> bool:
    """Whether it is for this destination: by its urgency, or because a test names it."""
    only = found.labels.get(ONLY) if found.test else None
    if only is not None:
        return only == destination.called
    return found.test or destination.urgency in ("all", found.urgency)


def _notice(
    event: NoticeEvent,
    one: Told,
    entry: Entry,
    alerts: Alerts,
    *,
    by: str = "",
    why: str = "",
    to: tuple[str, ...] | None = None,
) -> Notice:
    raised = one.raised
    base = alerts.runbooks_url
    return Notice(
        id=entry.hash[:32],
        event=event,
        service=entry.subject,
        alert=raised.alert,
        cause=raised.cause,
        name=raised.name,
        urgency=raised.urgency,
        summary=raised.summary,
        detail=raised.detail,
        runbook=raised.runbook,
        runbook_url=link(base, raised.runbook) if base else None,
        owner=raised.owner,
        to=one.to if to is None else to,
        at=entry.at,
        since=one.at,
        incident=raised.incident,
        labels=raised.labels,
        by=by,
        why=why,
        test=raised.test,
    )
