"""Alerts of a service: who was told what and has not finished with it, what is silenced, and how often causes came.

Causes that may flap (signs of health, signals) are followed by themselves: since when each stands, since when it is
gone, and when it came. So an alert is over by what its cause did, and not by how often somebody looked.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import TypeVar

from msgspec.structs import replace

from flyball.control.state.alert_causes import alarming, cause_of
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.facts.alert import further
from flyball.core.record import Record

Kept = TypeVar("Kept")
REMEMBERED = 20  # comings and resolutions of a cause
WEEK = timedelta(days=7)


class OpenAlert(Record):
    raised: e.AlertRaised
    at: str  # RFC 3339, UTC
    acked: e.AlertAcked | None = None
    level: int = 0  # of escalation
    told_at: str = ""  # when somebody was told last
    to: tuple[str, ...] = ()  # everybody who was told, level by level


class RolledBackAlone(Record):
    """The newest rollback that no person ordered."""

    fact: e.RolledBack
    at: str  # RFC 3339, UTC


class DrilledRollout(Record):
    """The rollout of a drill's candidate."""

    fact: e.RolloutOpened
    before: RolledBackAlone | None  # what was to be told of when it began


class Paged(Record):
    """A page that went out."""

    at: str  # RFC 3339, UTC
    to: tuple[str, ...]  # who was told
    drill: str = ""  # whose it was: whoever is woken by a drill is woken


class AlertBook(Record):
    open: dict[str, OpenAlert] = {}  # by cause
    held: dict[str, e.AlertHeld] = {}  # by cause: due, and nobody was told
    silences: dict[str, e.AlertsSilenced] = {}  # by id
    resolved: dict[str, tuple[str, ...]] = {}  # by cause: when it was resolved, newest last: flaps are seen in it
    signs: frozenset[str] = frozenset()  # causes that signs of health show
    signals: frozenset[str] = frozenset()  # causes that signals show, as `kind/feature` of each
    came: dict[str, tuple[str, ...]] = {}  # by cause: when it came, newest last: signs, signals, budgets, orders
    budgets: frozenset[tuple[str, str]] = frozenset()  # causes that facts of budgets show, with how: burning, spent
    gone: dict[str, str] = {}  # by cause: since when no sign and no signal shows it
    pages: tuple[Paged, ...] = ()  # of seven days
    rolled_back: RolledBackAlone | None = None
    drilled: DrilledRollout | None = None  # that runs, or has ended while its drill runs
    given_up: dict[str, e.CommandGivenUp] = {}  # by kind of the order: nothing of the kind has succeeded since
    tested: e.AlertsTested | None = None  # the newest test
    tested_at: str = ""

    def named(self, alert: str) -> OpenAlert | None:
        return next((each for each in self.open.values() if each.raised.alert == alert), None)

    def stands(self, cause: str) -> bool:
        """Whether a sign or a signal shows it, loud or not."""
        return cause in self.signs or cause in {_cause(key) for key in self.signals}


def folded(book: AlertBook, fact: e.AnyFact, at: str) -> AlertBook:
    """One fact further; one that is of no alert changes nothing."""
    match fact:
        case e.AlertRaised(test=False, cause=cause):
            held = _without(book.held, cause)
            told = book.open | {cause: OpenAlert(raised=fact, at=at, told_at=at, to=fact.to)}
            pages = _paged(book, fact, fact.to, at) if fact.urgency == "page" else book.pages
            return replace(book, open=told, held=held, pages=pages)
        case e.AlertHeld(cause=cause):
            return replace(book, held=book.held | {cause: fact})
        case e.AlertAcked(alert=alert) if (one := book.named(alert)) is not None:
            seen = None if one.raised.cause == "rollback" else book.rolled_back  # who has it knows what happened
            told = book.open | {one.raised.cause: replace(one, acked=fact)}
            return replace(book, open=told, rolled_back=seen)
        case e.AlertEscalated(alert=alert, level=level, to=to) if (one := book.named(alert)) is not None:
            up = replace(one, level=level, told_at=at, to=further(one.to, to))
            told = book.open | {one.raised.cause: up}
            return replace(book, open=told, pages=_paged(book, one.raised, to, at))
        case e.AlertResolved(alert=alert):
            return _resolved(book, alert, at)
        case e.AlertsTested():
            return replace(book, tested=fact, tested_at=at)
        case e.AlertsSilenced(silence=name):
            return replace(book, silences=book.silences | {name: fact})
        case e.SilenceEnded(silence=name):
            return replace(book, silences=_without(book.silences, name))
        case _:
            return _of_causes(book, fact, at)


def _of_causes(book: AlertBook, fact: e.AnyFact, at: str) -> AlertBook:
    """What comes and goes under the alerts."""
    match fact:
        case e.HealthChanged(health=health):
            seen = frozenset(sign.key for sign in health.signs)
            signs = seen | book.signs if health.state == "UNKNOWN" else seen  # what nobody sees has not gone
            return _moved(book, signs, book.signals, at)
        case e.SignalRaised(signal=signal):
            key = _key(signal.signal, signal.feature)
            signals = book.signals | {key} if alarming(signal) else book.signals - {key}
            return _moved(book, book.signs, signals, at)
        case e.SignalCleared(signal=kind, feature=feature):
            return _moved(book, book.signs, book.signals - {_key(kind, feature)}, at)
        case e.ChampionAppointed():  # what the windows of another champion showed is forgotten
            apart = frozenset(key for key in book.signals if _cause(key) in ("training", "capture"))
            after = None if fact.rollout is not None else book.rolled_back  # a later release was promoted
            return _moved(replace(book, rolled_back=after), book.signs, apart, at)
        case e.RolledBack(by="gateway" | "controller"):
            return replace(book, rolled_back=RolledBackAlone(fact=fact, at=at))
        case e.RolloutOpened(drill=drill) if drill:
            return replace(book, drilled=DrilledRollout(fact=fact, before=book.rolled_back))
        case e.DrillEnded(drill=drill) if book.drilled is not None and book.drilled.fact.drill == drill:
            return replace(book, rolled_back=_real(book.rolled_back, book.drilled), drilled=None)
        case e.CommandGivenUp(kind=kind) if (
            kind != "recycle"
        ):  # the verdict of its remedy says it; the next one follows
            known = kind in book.given_up
            came = book.came if known else _came(book, (f"command/{kind}",), at)
            return replace(book, given_up=book.given_up | {kind: fact}, came=came)
        case e.BudgetBurning() | e.BudgetSpent():
            cause = f"budget/{fact.objective}"
            how = "burning" if isinstance(fact, e.BudgetBurning) else "spent"
            known = (cause, how) in book.budgets or (how == "spent" and (cause, "burning") in book.budgets)
            came = book.came if known else _came(book, (cause,), at)
            return replace(book, budgets=book.budgets | {(cause, how)}, came=came)
        case e.BudgetCalm(objective=name):
            return replace(book, budgets=book.budgets - {(f"budget/{name}", "burning")})
        case e.BudgetRestored(objective=name):
            return replace(book, budgets=book.budgets - {(f"budget/{name}", "spent")})
        case e.RoutingApplied() if book.given_up:
            return replace(book, given_up=_without(book.given_up, "route"))
        case e.ReleaseRegistered() if book.given_up:
            return replace(book, given_up=_without(book.given_up, "train"))
        case _:
            return book


def _real(back: RolledBackAlone | None, drilled: DrilledRollout) -> RolledBackAlone | None:
    """What was taken back of a drill's candidate is nothing to look into once the drill is over; what was before is."""
    return drilled.before if back is not None and back.fact.rollout == drilled.fact.rollout else back


def _moved(book: AlertBook, signs: frozenset[str], signals: frozenset[str], at: str) -> AlertBook:
    if signs == book.signs and signals == book.signals:
        return book
    before, now = _causes(book.signs, book.signals), _causes(signs, signals)
    came = _came(book, now - before, at)
    gone = {cause: since for cause, since in book.gone.items() if cause not in now}
    return replace(book, signs=signs, signals=signals, came=came, gone=gone | dict.fromkeys(before - now, at))


def _came(book: AlertBook, causes: Collection[str], at: str) -> dict[str, tuple[str, ...]]:
    return book.came | {cause: (*book.came.get(cause, ()), at)[-REMEMBERED:] for cause in causes}


def _resolved(book: AlertBook, alert: str, at: str) -> AlertBook:
    """An alert that was told, or one that nobody was told of before its cause was gone."""
    one = book.named(alert)
    if one is None:
        return replace(book, held={cause: held for cause, held in book.held.items() if held.alert != alert})
    cause = one.raised.cause
    times = (*book.resolved.get(cause, ()), at)[-REMEMBERED:]
    return replace(book, open=_without(book.open, cause), resolved=book.resolved | {cause: times})


def _paged(book: AlertBook, raised: e.AlertRaised, to: tuple[str, ...], at: str) -> tuple[Paged, ...]:
    since = timestamp(moment(at) - WEEK)
    page = Paged(at=at, to=to, drill=raised.labels.get("drill", ""))
    return (*(each for each in book.pages if each.at >= since), page)


def _causes(signs: Collection[str], signals: Collection[str]) -> set[str]:
    return {*signs, *(_cause(key) for key in signals)}


def _key(kind: str, feature: str | None) -> str:
    return f"{kind}/{feature}" if feature else kind


def _cause(key: str) -> str:
    kind, _, feature = key.partition("/")
    return cause_of(kind, feature or None)


def _without(found: dict[str, Kept], name: str) -> dict[str, Kept]:
    return {each: one for each, one in found.items() if each != name}
