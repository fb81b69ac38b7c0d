"""What would another policy have been worth? Answered from a log of actions taken by chance, before anybody is tried.

Theory of operation. A row is a context x, an action a that was taken with the probability p (its propensity), and the
reward r that followed. The target would take that action with the probability t: 1 or 0 where it is a model that always
answers the same. With w = t / p, and q a guess of the reward made without the row, each of

    IPS      mean of w r
    SNIPS    sum of w r / sum of w
    DR       mean of q(x, target) + w (r - q(x, a))

has the target's value as its limit. IPS is unbiased where p is right, and noisy: it holds a row that is not followed
for a reward of 0. SNIPS does not change when all rewards move by a constant. DR is right where either p or q is, and
its noise is that of what q leaves over. `clipped` is IPS with weights of at most the root of n: where it is far from
IPS, a few rows make the answer.

The gain over the policy that logged is estimated row by row, w r - r and so on: what both share is no noise in it.
Spread is that of rows, or of units where rows belong together. Intervals use Student's t with as many degrees of
freedom as there are effective units, less one; `bounds` gives one for any law. Where every followed row has one and the
same reward, its spread is unknown, not zero: it is taken as if one effective unit had the other end of the rewards.

All of it is for a log that is complete and read once. A log that is watched as it grows needs `ArmMeans`.

Source: DR, Dudik, Erhan, Langford and Li 2014, section 3; SNIPS, Swaminathan and Joachims 2015, section 4; its delta
method, Owen, Monte Carlo theory, methods and examples, section 9.2; the root of n, Ionides 2008, section 2.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.actions.logged_actions import LoggedActions
from flyball.stats.actions.overlap import MIN_EFFECTIVE, Codes, Floats, Overlap, overlap, spread_of_mean
from flyball.stats.actions.reward_bounds import Estimator, RewardBounds, bernstein_half
from flyball.stats.scoring.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class OffPolicy:
    """The target's value by each estimator, and by how much it is above what was logged; unit of the reward."""

    logged: Interval | None  # mean reward of the policy that logged
    values: dict[Estimator, Interval]
    gains: dict[Estimator, Interval]  # target less logged; positive = the target is worth more
    overlap: Overlap | None
    lacks: tuple[str, ...]  # why none of it is to be believed; empty where it may be


def off_policy(
    propensity: npt.ArrayLike,
    reward: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    unit: npt.ArrayLike | None = None,
    guesses: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    confidence: float = 0.95,
    min_effective: float = MIN_EFFECTIVE,
    bounds: RewardBounds | None = None,
) -> OffPolicy:
    """Estimates from a log, and whether they are to be believed (`lacks`). A faulty log has none.

    Args:
        propensity: with which the logged action was taken, above 0, at most 1, shape [n].
        reward: what followed, higher is better, shape [n].
        target: probability with which the target takes the logged action, 0..1, shape [n]; `followed` makes it.
        unit: what the row belongs to (a user), shape [n]; without it rows are independent.
        guesses: of the reward, (after the logged action, after the target's), shape [n] each, made by a model that was
            fitted on other units (`cross_fitted`); without them there is no `dr`.
        confidence: two-sided, in (0, 1).
        min_effective: effective units below which nothing is believed.
        bounds: known before; IPS and DR then get intervals for any law (empirical Bernstein). Not together with units.

    Raises: ValueError: columns of other shapes, or `bounds` with `unit` or too narrow for the log.
    Source: as above; empirical Bernstein, Maurer and Pontil 2009, theorem 4.

    >>> rng = np.random.default_rng(0)
    >>> action = rng.integers(0, 2, 4000)
    >>> reward = (rng.random(4000) < np.where(action == 1, 0.6, 0.4)) * 1.0
    >>> from flyball.stats.actions.logged_actions import followed
    >>> found = off_policy(np.full(4000, 0.5), reward, followed(action, np.ones(4000)))
    >>> found.lacks, 0.05 < found.gains["snips"].low < 0.1 < found.gains["snips"].high
    ((), True)
    """
    log = LoggedActions.of(propensity, reward, target, unit=unit, guesses=guesses)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}: expected a probability in (0, 1)")
    if faults := log.faults():
        return OffPolicy(logged=None, values={}, gains={}, overlap=None, lacks=faults)
    if bounds is not None:
        bounds.refuse(log, clustered=unit is not None)
    r, codes = log.reward, log.unit
    seen = overlap(log.propensity, log.target, codes)
    lacks = seen.lacks(min_effective)
    if float(np.ptp(r)) == 0:
        lacks = (*lacks, f"the reward is {r[0]:g} in every row: nothing tells one action from another")
    if seen.units < 2:
        lacks = (*lacks, "one unit: its spread is unknown")
        return OffPolicy(logged=None, values={}, gains={}, overlap=seen, lacks=lacks)
    lone = float(np.ptp(r)) / seen.effective if seen.effective > 0 and float(np.ptp(r[log.target > 0])) == 0 else 0.0
    values: dict[Estimator, Interval] = {}
    gains: dict[Estimator, Interval] = {}
    for name, (value, own) in _rows(log).items():
        for told, less in ((values, 0.0), (gains, 1.0)):
            width = None if bounds is None else bounds.width(name, less=less)
            influence = own - less * (r - r.mean())
            half = (
                _half(influence, codes, seen, confidence, lone)
                if width is None
                else bernstein_half(influence, width, confidence)
            )
            method = "bernstein" if width is not None else "delta" if name == "snips" else "student"
            at = value - less * float(r.mean())
            told[name] = Interval(value=at, low=at - half, high=at + half, n=r.size, method=method)
    half = _t(confidence, seen.units) * spread_of_mean(r, codes)
    mean = float(r.mean())
    logged = Interval(value=mean, low=mean - half, high=mean + half, n=r.size, method="student")
    return OffPolicy(logged=logged, values=values, gains=gains, overlap=seen, lacks=lacks)


def _rows(log: LoggedActions) -> dict[Estimator, tuple[float, Floats]]:
    """The value by each estimator, and how far each row moves it, shape [n], mean 0."""
    r, w, q = log.reward, log.target / log.propensity, log.guesses
    found: dict[Estimator, tuple[float, Floats]] = {}
    columns: dict[Estimator, Floats] = {"ips": w * r, "clipped": np.minimum(w, math.sqrt(r.size)) * r}
    if q is not None:
        columns["dr"] = q[1] + w * (r - q[0])
    for name, column in columns.items():
        found[name] = float(column.mean()), column - column.mean()
    if w.sum() > 0:
        value = float(np.average(r, weights=w))
        found["snips"] = value, w * (r - value) / w.mean()
    return found


def _half(influence: Floats, codes: Codes, seen: Overlap, confidence: float, lone: float) -> float:
    return _t(confidence, seen.effective) * max(spread_of_mean(influence, codes), lone)


def _t(confidence: float, units: float) -> float:
    return float(special.stdtrit(max(1.0, units - 1), (1 + confidence) / 2))
