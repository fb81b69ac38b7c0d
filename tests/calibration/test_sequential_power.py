"""What each sequential test finds: a promise that is kept by saying nothing is worth nothing. And how long it takes.

Tolerance: three binomial standard errors of the stated share, or of the mean of the sample numbers.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest

from flyball.stats.confidence_sequences.bernoulli_sequence import bernoulli_bounds
from flyball.stats.confidence_sequences.betting import BettingSequence
from flyball.stats.confidence_sequences.quantile_comparison import quantile_log_e
from flyball.stats.confidence_sequences.quantile_sequences import quantile_bounds
from flyball.stats.experiment.noninferiority import Standing, non_inferiority_of_arms
from flyball.stats.experiment.ratio_epochs import RatioEpochs
from flyball.stats.sequential_tests.error_event_arrays import observe_events
from flyball.stats.sequential_tests.msprt import MixtureSprt
from flyball.stats.sequential_tests.sequential import ErrorEventTest, rollback_bound
from flyball.stats.sequential_tests.sprt import sprt_bounds
from flyball.stats.sequential_tests.sprt_of_means import NormalSprt, PoissonSprt

Dice = np.random.Generator
FOUND = -math.log(0.05)


def ten_times_the_errors(rng: Dice) -> bool:
    """40 error events of its own are enough: SEMANTICS, Rollouts."""
    arms = rng.random(80) < 10 / 11
    path = observe_events(ErrorEventTest(), arms, np.full(80, 0.5), 2.0)
    place = path.first_beyond(rollback_bound(0.05, 2))
    return place is not None and int(arms[: place + 1].sum()) <= 40


def a_third_of_a_deviation(rng: Dice) -> bool:
    arms = rng.random(3000) < 0.3
    return MixtureSprt(sd=1.0, tau=0.2).plus(arms, rng.normal(7.0, 1.0, 3000) + 0.3 * arms).p <= 0.05


def five_percent_of_units_lost(rng: Dice) -> bool:
    """The slower arm loses one unit in twenty, at 10 % and at 50 %."""
    state = RatioEpochs()
    for epoch, (share, units) in enumerate(((0.1, 20_000), (0.5, 20_000))):
        theirs = int(rng.binomial(rng.binomial(units, share), 0.95))
        state = state.plus(epoch, (1 - share, share), (units - theirs, theirs))
    return state.log_e >= FOUND


def twice_the_p99(rng: Dice) -> bool:
    slow, fast = 2 * rng.lognormal(0, 1, 3000), rng.lognormal(0, 1, 3000)
    return quantile_log_e(slow, fast, 0.99, alternative="larger", n_opt=2000) >= FOUND


def a_conversion_that_fell_by_a_fifth(rng: Dice) -> bool:
    arms = [bernoulli_bounds(40_000, int(rng.binomial(40_000, p)), alpha=0.025, n_opt=20_000) for p in (0.08, 0.10)]
    return non_inferiority_of_arms(arms[0], arms[1], delta="5%").standing is Standing.INFERIOR


def an_equal_conversion_with_enough_units(rng: Dice) -> bool:
    arms = [bernoulli_bounds(400_000, int(rng.binomial(400_000, 0.10)), alpha=0.025, n_opt=400_000) for _ in "ab"]
    return non_inferiority_of_arms(arms[0], arms[1], delta="5%").standing is Standing.NOT_INFERIOR


def a_score_within_two_hundredths(rng: Dice) -> bool:
    found = BettingSequence(alpha=0.05).plus(rng.beta(8, 2, 1000))
    return found.high - found.low <= 0.04


def a_p50_within_a_tenth(rng: Dice) -> bool:
    low, high = quantile_bounds(rng.lognormal(3, 0.5, 3000), 0.5, alpha=0.05, n_opt=3000)
    return high / low <= 1.2


@pytest.mark.parametrize(
    "finds",
    [
        ten_times_the_errors,
        a_third_of_a_deviation,
        five_percent_of_units_lost,
        twice_the_p99,
        a_conversion_that_fell_by_a_fifth,
        an_equal_conversion_with_enough_units,
        a_score_within_two_hundredths,
        a_p50_within_a_tenth,
    ],
)
def test_what_is_there_is_found_in_nine_runs_of_ten(finds: Callable[[Dice], bool]) -> None:
    runs, rng = 100, np.random.default_rng(31)
    found = sum(finds(rng) for _ in range(runs)) / runs
    assert found >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / runs)


@pytest.mark.parametrize("bad", [False, True])
def test_means_take_what_wald_says_and_a_little_more(bad: bool) -> None:
    """His approximation neglects the overshoot: of means, about 0.58 sd beyond the bound each time."""
    design, (a, b) = NormalSprt(bad=0.2, sd=1.0), sprt_bounds(0.05, 0.10)
    flat, slope = design.observe(0.0).llr, design.observe(1.0).llr - design.observe(0.0).llr
    steps = slope * np.random.default_rng(32).normal(0.2 * bad, 1.0, (4000, 2500)) + flat
    path = np.cumsum(steps, axis=1)
    out = (path >= a) | (path <= b)
    taken = out.argmax(axis=1) + 1.0
    error = 3 * float(taken.std()) / math.sqrt(taken.size)
    wald = design.expected_sample(alpha=0.05, beta=0.10)[bad]
    assert out.any(axis=1).all()
    assert wald - error <= taken.mean() <= 1.1 * wald + error


def test_events_take_what_wald_says_and_a_little_more() -> None:
    design, (a, b) = PoissonSprt(good=1.0, bad=2.0), sprt_bounds(0.05, 0.10)
    tick = 0.05
    quiet, event = design.observe(0, tick).llr, design.observe(1, 0.0).llr
    path = np.cumsum(event * np.random.default_rng(33).poisson(tick, (3000, 1500)) + quiet, axis=1)
    out = (path >= a) | (path <= b)
    taken = tick * (out.argmax(axis=1) + 1.0)
    error = 3 * float(taken.std()) / math.sqrt(taken.size)
    wald = design.expected_exposure()[0]
    assert out.any(axis=1).all()
    assert wald - error <= taken.mean() <= 1.15 * wald + error
