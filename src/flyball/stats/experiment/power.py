"""How much traffic an answer needs, counted before the start.

The fixed-sample sizes are those of one look at the end: whoever looks earlier needs `group_sequential`, or a test that
survives it. Units are drawn to the candidate with probability `share`; a small share costs 1/share, because the smaller
arm has almost all of the variance. Normal approximation, so at least some ten events an arm are assumed.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from flyball.stats.sequential_tests.sequential import accept_bound, increment, rollback_bound, theta1
from flyball.stats.sequential_tests.sprt import check_budgets

LEAST_MASS = 1e-12  # probability that is left out


@dataclass(frozen=True, kw_only=True)
class Size:
    """Units of one look at the end."""

    total: int  # units of both arms, count
    candidate: int  # of them the candidate's, count


def superiority_size(
    champion: float, candidate: float, *, alpha: float = 0.05, beta: float = 0.20, share: float = 0.5, sides: int = 2
) -> Size:
    """Units at which a difference of two rates is found with probability 1 - beta.

    Args:
        champion, candidate: the rates, 0..1, not equal. alpha: chance of a finding where there is no difference.
        beta: chance to miss this one. share: of the units that are the candidate's, 0..1. sides: 1 or 2.

    Raises: ValueError: equal rates, or an argument out of its range.
    Source: Fleiss, Levin and Paik 2003, section 4.2 (unpooled), unequal arms.

    >>> superiority_size(0.05, 0.06, beta=0.10)
    Size(total=21835, candidate=10918)
    """
    if champion == candidate:
        raise ValueError(f"expected two rates, found {champion:g} twice: no number of units tells them apart")
    if sides not in (1, 2):
        raise ValueError(f"sides={sides}: expected 1 or 2")
    check_budgets(alpha=alpha, beta=beta)
    variance = _variance(candidate) / _inside("share", share) + _variance(champion) / (1 - share)
    return _rounded(variance * ((_z(alpha / sides) + _z(beta)) / (candidate - champion)) ** 2, share)


def non_inferiority_size(
    rate: float, margin: float, *, alpha: float = 0.05, beta: float = 0.20, share: float = 0.5, at_margin: bool = False
) -> Size:
    """Units at which a candidate that is as good is shown to be not worse by `margin` with probability 1 - beta.

    Args:
        rate: of both arms, 0..1. margin: difference of rates that must be excluded, > 0. alpha: one-sided, chance that
        a candidate worse by `margin` passes. beta: chance that an equal one does not. share: the candidate's, 0..1.
        at_margin: whether alpha is counted with the variance that a candidate at the margin has. Without it (the
        common formula) an unequal split passes up to 3 points fewer of the equal ones than planned.

    Source: (z_(1-alpha) + z_(1-beta))^2 p (1 - p) (1/share + 1/(1-share)) / margin^2; Chow, Shao and Wang 2008, 4.2.
    At the margin: Farrington and Manning 1990, with the rates as they are planned.

    >>> non_inferiority_size(0.05, 0.005)
    Size(total=46988, candidate=23494)
    >>> non_inferiority_size(0.05, 0.005, share=0.1, at_margin=True).candidate
    13780
    """
    if not 0 < margin < 1 - rate:
        raise ValueError(f"margin={margin}: expected a difference above 0 that leaves a rate below 1")
    check_budgets(alpha=alpha, beta=beta)
    equal = _variance(rate) * (1 / _inside("share", share) + 1 / (1 - share))
    worse = _variance(rate + margin) / share + _variance(rate) / (1 - share) if at_margin else equal
    wanted = (_z(alpha) * math.sqrt(worse) + _z(beta) * math.sqrt(equal)) / margin
    return _rounded(wanted**2, share)


def least_margin(rate: float, units: int, *, alpha: float = 0.05, beta: float = 0.20, share: float = 0.5) -> float:
    """The smallest margin that so many units of both arms can exclude: `non_inferiority_size` the other way round.

    >>> round(least_margin(0.05, 46988), 5)
    0.005
    """
    if units < 1:
        raise ValueError(f"units={units}: expected at least 1")
    variance = _variance(rate) * (1 / _inside("share", share) + 1 / (1 - share))
    check_budgets(alpha=alpha, beta=beta)
    return (_z(alpha) + _z(beta)) * math.sqrt(variance / units)


def events_to_roll_back(w: float, design: float, ratio: float, *, alpha: float = 0.05, guardrails: int = 2) -> float:
    """Error events of both arms until the error-event test sends a candidate back, on average; inf: it never need.

    Wald's approximation: it leaves out the overshoot, so the truth is a little more.

    Args: w: the candidate's share of units, 0..1. design: ratio that the test is made for, > 1. ratio: the true one.

    Source: Wald 1947, section 3.5 (expected number of observations), one bound only.

    >>> round(events_to_roll_back(0.1, 2, 10), 1)
    13.7
    """
    drift = _drift(w, design, theta1(w, ratio))
    return rollback_bound(alpha, guardrails) / drift if drift > 0 else math.inf


def events_to_advance(w: float, design: float, ratio: float = 1.0, *, beta: float = 0.10) -> float:
    """Error events of both arms until a step's test says "not worse by `design`", on average; inf: it never need.

    >>> round(events_to_advance(0.1, 2), 1), events_to_advance(0.1, 2, ratio=2)
    (88.6, inf)
    """
    drift = _drift(w, design, theta1(w, ratio))
    return accept_bound(beta) / drift if drift < 0 else math.inf


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Where an error-event test between two bounds ends, and when."""

    rolled_back: float  # P(it ends at the upper bound)
    advanced: float  # P(it ends at the lower bound)
    events: float  # error events of both arms until then, mean


def ending(w: float, design: float, ratio: float, *, upper: float, lower: float) -> Ending:
    """Exactly, overshoot and all, for a weight that stays; ends at once where the test says nothing (w of 0 or 1).

    Args: w, design, ratio: as `events_to_roll_back`. upper, lower: of the log-likelihood ratio, nats.

    >>> from flyball.stats.sequential_tests.sprt import sprt_bounds
    >>> upper, lower = sprt_bounds(0.05, 0.10)
    >>> found = ending(0.1, 2, 1, upper=upper, lower=lower)
    >>> round(found.events, 1), round(found.rolled_back, 4)
    (79.8, 0.0405)
    """
    up, down, p = increment(True, w, design), increment(False, w, design), theta1(w, ratio)
    if not up:
        return Ending(rolled_back=0.0, advanced=0.0, events=0.0)
    alive, first = np.ones(1), 0  # P(so many events of the candidate, not ended); alive[0] has `first` of them
    rolled_back = advanced = events = 0.0
    n = 0
    while (left := float(alive.sum())) > LEAST_MASS:
        n, events = n + 1, events + left
        alive = np.concatenate([alive * (1 - p), [0.0]]) + np.concatenate([[0.0], alive * p])
        ups = first + np.arange(alive.size)
        at = ups * up + (n - ups) * down
        high, low = at >= upper - 1e-12, at <= lower + 1e-12
        rolled_back, advanced = rolled_back + float(alive[high].sum()), advanced + float(alive[low].sum())
        going = np.flatnonzero(~(high | low))
        if not going.size:
            break
        alive, first = alive[going[0] : going[-1] + 1], first + int(going[0])
    return Ending(rolled_back=rolled_back, advanced=advanced, events=events)


def _drift(w: float, design: float, theta: float) -> float:
    """What an error event adds to the log-likelihood ratio on average, nats."""
    return theta * increment(True, w, design) + (1 - theta) * increment(False, w, design)


def _rounded(total: float, share: float) -> Size:
    return Size(total=math.ceil(total), candidate=math.ceil(total * share))


def _z(budget: float) -> float:
    return NormalDist().inv_cdf(1 - budget)


def _variance(rate: float) -> float:
    return _inside("rate", rate) * (1 - rate)


def _inside(name: str, value: float) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{name}={value}: expected a number in (0, 1)")
    return value
