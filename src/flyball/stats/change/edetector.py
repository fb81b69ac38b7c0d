"""E-detectors: e-values of successive windows, added up over every window at which the change may have begun.

Shiryaev-Roberts, M = (1 + M) E, is the sum over all starts of the product of e-values since that start. Without a
change each start contributes 1 in expectation, so E[M] = t after t windows, at whatever moment one looks: the expected
number of times that M passes a bound c within t windows, M being set to 0 each time, is at most t / c. That is the
promise: *one false alarm in c windows, or fewer*. With F sequences and the bound F c for each, the expected numbers add
up to t / c, whatever the dependence between them.

Beside it the same with weights 1/(k(k+1)) on the k-th start, which sum to 1: that is an e-value at every moment
(Shiryaev's), and e-BH may use it to name the sequences that changed.

All in logarithms: a clear change is worth thousands of nats.

Source: Shin, Ramdas and Rinaldo 2022, definitions 2.2 and 2.3, proposition 2.4; Wang and Ramdas 2022 for e-BH.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.stats.change.bets import Bets
from flyball.stats.change.evalues import log_e_values

Floats = npt.NDArray[np.float64]

FADING = 0.7  # weight of a window in `recent` after each further one


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What one sequence remembers: constant size. Shapes [B] and [K]."""

    known: Floats  # rows of the reference and of all windows since, per bin
    recent: Floats  # rows of the last windows, fading
    windows: int  # since the last alarm
    log_sum: Floats  # ln of Shiryaev-Roberts, one for each bet
    log_mixture: Floats  # ln of the e-value, one for each bet


@dataclass(frozen=True, kw_only=True)
class Level:
    """How far the evidence has come."""

    log_sum: float  # ln M, all bets together; alarm at ln(F c)
    log_e: float  # ln of an e-value against "no change so far", valid at every moment
    bet: str  # the bet that has gained most


def begin(reference: npt.ArrayLike, bets: Bets) -> Evidence:
    """Before the first window. Args: reference: counts, shape [B]."""
    known = np.asarray(reference, dtype=np.float64)
    return _empty(known, bets.log_weight.size)


def step(evidence: Evidence, x: npt.ArrayLike, bets: Bets) -> Evidence:
    """After one window with counts x, shape [B]. A window without rows changes nothing.

    >>> from flyball.stats.change.bets import bets as bets_of
    >>> bets = bets_of([900, 100], "rate", tolerance=0.0)
    >>> state = begin([900, 100], bets)
    >>> for _ in range(3):
    ...     state = step(state, [80, 20], bets)
    >>> level(state, bets).bet, round(level(state, bets).log_sum, 1)
    ('bin 1 up 0.8', 6.7)
    """
    x = np.asarray(x, dtype=np.float64)
    if not x.sum():
        return evidence
    log_e = log_e_values(x, evidence.known, evidence.recent, bets)
    windows = evidence.windows + 1
    return Evidence(
        known=evidence.known + x,
        recent=FADING * (evidence.recent + x),
        windows=windows,
        log_sum=np.logaddexp(0.0, evidence.log_sum) + log_e,
        log_mixture=np.logaddexp(evidence.log_mixture, -np.log(windows * (windows + 1.0))) + log_e,
    )


def level(evidence: Evidence, bets: Bets) -> Level:
    """What the evidence says now, the bets weighted."""
    weighted = evidence.log_sum + bets.log_weight
    return Level(
        log_sum=float(np.logaddexp.reduce(weighted)),
        log_e=float(np.logaddexp.reduce(evidence.log_mixture + bets.log_weight)) if evidence.windows else 0.0,
        bet=bets.names[int(np.argmax(weighted))],
    )


def forget(evidence: Evidence) -> Evidence:
    """After an alarm: the evidence starts from nothing, the rows stay known."""
    return _empty(evidence.known, evidence.log_sum.size)


def _empty(known: Floats, bets: int) -> Evidence:
    nothing = np.full(bets, -np.inf)
    return Evidence(known=known, recent=np.zeros_like(known), windows=0, log_sum=nothing, log_mixture=nothing)


def e_bh(log_e: npt.ArrayLike, *, alpha: float) -> npt.NDArray[np.int64]:
    """Which of F null hypotheses to reject: the false discovery rate is at most alpha under any dependence.

    Args:
        log_e: logarithms of e-values, shape [F].
        alpha: expected share of false ones among those named, in (0, 1).

    Returns: their places, most evidence first.
    Source: Wang and Ramdas 2022, definition 4: the k largest, k = max{k : e_[k] >= F / (alpha k)}.

    >>> e_bh(np.log([1.0, 45.0, 25.0, 3.0]), alpha=0.1).tolist()
    [1, 2]
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha}: expected a rate in (0, 1)")
    values = np.asarray(log_e, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    k = np.arange(1, values.size + 1)
    passed = np.flatnonzero(values[order] >= np.log(max(values.size, 1)) - np.log(alpha * k))
    return order[: int(passed[-1]) + 1] if passed.size else order[:0]
