"""What an A/B test says so far: each arm beside the champion, and whether the split may be believed at all.

Nothing here decides: arms are stopped by the judge of rollouts (`decide.rollout`), winners are chosen by people. All
bounds may be read as often as one likes. Error budget: alpha of the test is shared by its k arms and the champion, each
bound of a rate or a mean has alpha / (k + 1); so all differences of a report hold together with probability 1 - alpha
for each kind of figure, whenever it is read.

- *Errors and slow answers*: units with an event among the units of the running step, a confidence sequence for each
  rate (`bernoulli_upper`), the difference between the worst of both.
- *Metric*: units are the trials, because rows of one unit hang together. The mean of an arm is the ratio of two sums
  over its units; its spread is that of the units' residuals (the delta method). The bound is asymptotic. Rows without
  a prediction are in no mean, so an arm that fails on hard rows looks better: their share is told for each arm.
- *Split*: the units of the running step against the weights; beyond ln 1000 nothing of the report may be believed.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Literal

from flyball.core.record import Record
from flyball.core.routing import WHOLE, ArmEvidence, Routing, StepCounts
from flyball.decide.rollout import GUARDRAILS, MAX_DROPPED, RATIO_MISMATCH_ALPHA
from flyball.stats.confidence_sequences.sequences import asymptotic_half_width, asymptotic_rho, bernoulli_upper
from flyball.stats.experiment.pair_moments import moments_of_sums
from flyball.stats.experiment.ratio_metric import ratio
from flyball.stats.experiment.ratio_mismatch import ratio_log_e
from flyball.stats.sequential_tests.sequential import rollback_bound

TIGHTEST_AT = 10_000  # units at which the metric's bound is tightest; chosen beforehand, whatever comes
FEWEST_UNITS = 30  # below this an asymptotic bound says nothing


class Interval(Record):
    """A difference, arm less champion."""

    value: float
    low: float
    high: float


class UnitSums(Record):
    """The metric over one arm's units: each unit has a sum of values and a number of rows."""

    units: int = 0
    rows: int = 0
    value: float = 0.0  # sum over all rows
    squares: float = 0.0  # of the units' sums
    products: float = 0.0  # of a unit's sum and its rows
    row_squares: float = 0.0  # of the units' numbers of rows
    seen: int = 0  # rows that the arm was assigned, with a label or without
    unanswered: int = 0  # of these, without a prediction: they are in no sum

    @property
    def mean(self) -> float:
        return self.value / self.rows if self.rows else 0.0


class ArmReport(Record):
    name: str
    release: str
    weight: float  # share of units in force, 0..1
    requests: int  # since the test began, rows
    units: int  # ... distinct ones, again after each change of weights
    errors: int
    slow: int
    failed: int
    log_e_errors: float = 0.0  # against the champion; at `bound` the gateway stops the arm
    log_e_slow: float = 0.0
    error_rate: Interval | None = None  # difference of units with an error event, running step; None: no units
    slow_rate: Interval | None = None
    labelled: int = 0  # rows with a label that the metric is made of
    unanswered: int = 0  # rows that failed or were turned away, since the weights were changed: not in the metric
    unanswered_share: float | None = (
        None  # of the rows that the arm was assigned since then, 0..1; None: there are none
    )
    metric: float | None = None
    difference: Interval | None = None  # of the metric; None: the champion itself, or too few units


class AbReport(Record):
    verdict: Literal["BELIEVABLE", "INCONCLUSIVE", "INVALID"]
    reason: str
    log_e_split: float  # against the promised split; beyond ln 1000 it is broken
    bound: float  # of the guardrails' log e-values
    arms: tuple[ArmReport, ...]  # the champion first


def report(routing: Routing, counts: StepCounts, alpha: float, metric: Mapping[str, UnitSums]) -> AbReport:
    """Args: routing: in force, with arms. alpha: of the whole test. metric: of each arm by name; empty: none is asked.

    >>> from flyball.core.arms import Arm
    >>> from flyball.core.ids import ReleaseRoot, ServiceName
    >>> from flyball.core.routing import ArmCounts
    >>> table = Routing(service=ServiceName("s"), epoch=1, champion=ReleaseRoot("a"),
    ...                 arms_=(Arm(name="b", release=ReleaseRoot("b"), buckets=((0, 5000),)),))
    >>> seen = [ArmEvidence(name=name, step=ArmCounts(units=units)) for name, units in (("champion", 700), ("b", 300))]
    >>> counts = StepCounts(service=ServiceName("s"), epoch=1, rollout=None, step=None, arms_=tuple(seen))
    >>> report(table, counts, 0.05, {}).verdict
    'INVALID'
    """
    known = {each.name: each for each in counts.arms}
    champion = known.get("champion", ArmEvidence(name="champion"))
    weights = {arm.name: arm.weight for arm in routing.arms}
    shares = {"champion": WHOLE - sum(weights.values())} | weights
    each_alpha = alpha / (len(routing.arms) + 1)
    releases = {"champion": routing.champion} | {arm.name: arm.release for arm in routing.arms}
    arms = tuple(
        _arm(known.get(name, ArmEvidence(name=name)), champion, str(releases[name]), share, each_alpha, metric)
        for name, share in shares.items()
    )
    verdict, reason, log_e = _believable(counts, shares, known)
    bound = rollback_bound(alpha / max(1, len(routing.arms)), len(GUARDRAILS))
    return AbReport(verdict=verdict, reason=reason, log_e_split=log_e, bound=bound, arms=arms)


def difference(arm: UnitSums, champion: UnitSums, alpha: float) -> Interval | None:
    """Of two means, arm less champion. `alpha`: of each mean's bound. None: an arm has too few units, or no number.

    >>> few = UnitSums(units=2, rows=2, value=1.0, squares=1.0, products=1.0, row_squares=2.0)
    >>> difference(few, few, 0.05) is None
    True
    """
    if not all(each.units >= FEWEST_UNITS and each.rows and isfinite(each.squares) for each in (arm, champion)):
        return None
    value = arm.mean - champion.mean
    width = _half_width(arm, alpha) + _half_width(champion, alpha)
    return Interval(value=value, low=value - width, high=value + width)


def _half_width(sums: UnitSums, alpha: float) -> float:
    """Delta method: a unit's part in the mean's error is (its sum - mean * its rows) / rows a unit."""
    units = moments_of_sums(sums.units, sums.value, sums.rows, yy=sums.squares, xx=sums.row_squares, xy=sums.products)
    rho = asymptotic_rho(TIGHTEST_AT, alpha=alpha)
    return asymptotic_half_width(sums.units, ratio(units).sd, alpha=alpha, rho=rho)


def _arm(
    own: ArmEvidence, champion: ArmEvidence, release: str, share: int, alpha: float, metric: Mapping[str, UnitSums]
) -> ArmReport:
    theirs = own.name != "champion"
    sums, base = metric.get(own.name), metric.get("champion")
    pair = (own.step.units, champion.step.units)
    return ArmReport(
        name=own.name,
        release=release,
        weight=share / WHOLE,
        requests=own.total.requests,
        units=own.total.units,
        errors=own.total.errors,
        slow=own.total.slow,
        failed=own.total.failed,
        log_e_errors=own.tests.errors,
        log_e_slow=own.tests.slow,
        error_rate=_rates(pair, (own.step.errors, champion.step.errors), alpha) if theirs else None,
        slow_rate=_rates(pair, (own.step.slow, champion.step.slow), alpha) if theirs else None,
        labelled=sums.rows if sums else 0,
        unanswered=sums.unanswered if sums else 0,
        unanswered_share=sums.unanswered / sums.seen if sums and sums.seen else None,
        metric=sums.mean if sums and sums.rows else None,
        difference=difference(sums, base, alpha) if theirs and sums and base else None,
    )


def _rates(units: tuple[int, int], events: tuple[int, int], alpha: float) -> Interval | None:
    """Difference of two rates; each side of each bound has half of alpha."""
    if min(units) == 0:
        return None
    bounds = []
    for n, x in zip(units, events, strict=True):
        x = min(x, n)  # a shared bit of the set of units may have hidden a unit, and not its event
        bounds.append((1 - bernoulli_upper(n, n - x, alpha=alpha / 2), x / n, bernoulli_upper(n, x, alpha=alpha / 2)))
    (low, rate, high), (base_low, base, base_high) = bounds
    return Interval(value=rate - base, low=low - base_high, high=high - base_low)


def _believable(
    counts: StepCounts, shares: Mapping[str, int], known: Mapping[str, ArmEvidence]
) -> tuple[Literal["BELIEVABLE", "INCONCLUSIVE", "INVALID"], str, float]:
    """The split first: a broken one makes every comparison one of different people."""
    units = {name: known[name].step.units if name in known else 0 for name in shares}
    total = sum(units.values())
    if not total:
        return "INCONCLUSIVE", "no unit was assigned since the weights were set", 0.0
    asked = {name: share for name, share in shares.items() if share}
    found = [units[name] for name in asked]
    log_e = ratio_log_e(found, [share / sum(asked.values()) for share in asked.values()])
    told = ", ".join(f"{name} {units[name]}" for name in shares)
    if log_e >= rollback_bound(RATIO_MISMATCH_ALPHA, 1):
        promised = ", ".join(f"{name} {share / 100:g} %" for name, share in shares.items())
        return "INVALID", f"units are {told} where {promised} were promised: the comparison is broken", log_e
    if counts.dropped > MAX_DROPPED * counts.received:
        lost = f"{counts.dropped} of {counts.received} rows lack a record"
        return "INCONCLUSIVE", f"{lost} (at most {MAX_DROPPED:.0%} may)", log_e
    return "BELIEVABLE", f"units are split as promised: {told}", log_e
