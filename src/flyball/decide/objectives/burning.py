"""The arithmetic of error budgets: burn rate, threshold, what is left, when it is gone. Pure numbers.

A burn rate of 1 spends the budget in just the objective's window; one of 14.4 over an hour spends 2 % of the budget of
30 days. An alert asks two windows: the long one says that it matters, the short one that it goes on, so it ends soon
after the fault does (Google, The Site Reliability Workbook, chapter 5, table 5-8).
"""

from typing import Final

from flyball.core.declared.objectives import Events, Objective, Urgency, window_of
from flyball.core.record import Record

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
LEAST_BUDGET: Final = (
    10.0  # events that a budget is worth at least, so that one error in a quiet hour is no catastrophe
)
EARLY: Final = HOUR_S / (28 * DAY_S)  # share of the window that events reach back over, before a budget can be spent
NEARLY_ALL: Final = 0.9  # a threshold on the share of bad events lies no higher, else no outage could reach it


class Pair(Record):
    """Two windows and the burn rate that both have to pass."""

    factor: float
    long_s: float
    short_s: float
    urgency: Urgency


PAIRS: Final = (
    Pair(factor=14.4, long_s=HOUR_S, short_s=5 * MINUTE_S, urgency="page"),
    Pair(factor=6.0, long_s=6 * HOUR_S, short_s=30 * MINUTE_S, urgency="page"),
    Pair(factor=3.0, long_s=DAY_S, short_s=2 * HOUR_S, urgency="ticket"),
    Pair(factor=1.0, long_s=3 * DAY_S, short_s=6 * HOUR_S, urgency="ticket"),
)
LOW_TRAFFIC: Final = PAIRS[1]  # the windows of the rule for little traffic


def pairs_of(objective: Objective) -> tuple[Pair, ...]:
    """Those that fit into the window of the objective; a page becomes a ticket where it says so."""
    fit = [pair for pair in PAIRS if pair.long_s <= window_of(objective)]
    if objective.urgency == "page":
        return tuple(fit)
    return tuple(Pair(factor=p.factor, long_s=p.long_s, short_s=p.short_s, urgency="ticket") for p in fit)


def ratio(events: Events) -> float | None:
    """Share of bad events; None: there were none at all, which says nothing."""
    return events.bad / events.total if events.total > 0 else None


def burn_rate(events: Events, objective: Objective) -> float | None:
    """How many times faster than allowed the budget is spent.

    >>> quick = Objective(name="a", sli="availability", target=0.999)
    >>> round(burn_rate(Events(good=9_856, total=10_000), quick), 6), burn_rate(Events(), quick)
    (14.4, None)
    """
    bad = ratio(events)
    return None if bad is None else bad / objective.budget


def threshold(factor: float, objective: Objective) -> float:
    """Share of bad events that a burn rate means, in 0..1, capped where no outage could reach it.

    With a target under 93 % a burn rate of 14.4 would need more than every event to be bad. There the alert fires at
    90 % bad events, or, where the budget alone is that large, half way between the budget and all of them.

    >>> round(threshold(14.4, Objective(name="a", sli="availability", target=0.999)), 6)
    0.0144
    >>> threshold(14.4, Objective(name="a", sli="quality", target=0.9))
    0.9
    """
    return min(factor * objective.budget, max(NEARLY_ALL, (1.0 + objective.budget) / 2))


def left(events: Events, objective: Objective) -> float | None:
    """Share of the budget that is left, below 0 where more is spent; None: nothing happened, so nobody knows.

    A budget is worth ten events at least: of 50 rows at 99.9 % a twentieth of an event might be bad.

    >>> quick = Objective(name="a", sli="availability", target=0.999)
    >>> left(Events(good=19_990, total=20_000), quick), left(Events(good=49, total=50), quick)
    (0.5, 0.9)
    """
    if events.total <= 0:
        return None
    return round(1.0 - events.bad / max(objective.budget * events.total, LEAST_BUDGET), 12)


def early_s(since: float | None, now: float, objective: Objective) -> float:
    """Seconds until its events reach back far enough for its budget to be spent; 0: they do.

    What is promised of 28 days is not broken by their first seconds: a start under load, which a day of traffic makes
    up for, would spend a budget that has hardly begun. An hour of 28 days is what the shortest burn rate is read over,
    and burn rates are told from the first event on.

    >>> early_s(0.0, 600.0, Objective(name="a", sli="latency", target=0.99, limit_ms=100.0))
    3000.0
    >>> early_s(None, 600.0, Objective(name="a", sli="latency", target=0.99, limit_ms=100.0))
    0.0
    """
    if since is None:
        return 0.0
    return max(0.0, round(since + EARLY * window_of(objective) - now, 6))


def exhausted_in_s(remaining: float | None, rate: float | None, objective: Objective) -> float | None:
    """Seconds until nothing is left at this burn rate; None: never, or nobody knows. Old errors that leave the window
    meanwhile are not counted, so it is a lower bound.

    >>> exhausted_in_s(0.5, 2.0, Objective(name="a", sli="availability", target=0.999, window_s=400.0))
    100.0
    """
    if remaining is None or rate is None:
        return None
    if remaining <= 0:
        return 0.0
    return remaining * window_of(objective) / rate if rate > 0 else None
