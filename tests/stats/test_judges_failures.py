"""What other judges got wrong (the reference page, 5.10), asked of ours: small arms, outages, bursts, late labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.confidence_sequences.bernoulli_sequence import bernoulli_bounds
from flyball.stats.confidence_sequences.betting import BettingSequence
from flyball.stats.confidence_sequences.quantile_comparison import quantile_log_e
from flyball.stats.experiment.noninferiority import Standing, non_inferiority_of_arms
from flyball.stats.sequential_tests.error_event_arrays import observe_events
from flyball.stats.sequential_tests.msprt import MixtureSprt
from flyball.stats.sequential_tests.sequential import ErrorEventTest, increment_of_counts, rollback_bound

EDGE = rollback_bound(0.05, 1)


def test_seven_of_ten_that_are_a_hundred_times_slower_are_flagged() -> None:
    """[100 x 7, 1 x 3] against [1 x 10]: seven slow answers, all of them one arm's."""
    assert increment_of_counts(7, 0, 10, 10, ratio=10.0) >= EDGE
    assert increment_of_counts(7, 0, 10, 10, ratio=10.0) <= -math.log(0.00155)  # no bet beats the exact p of the page


def test_four_errors_against_none_are_honestly_undecided() -> None:
    """[0, 1, 2, 1, 0, 0] against zeros at w = 0.5: the exact p is 0.0625, where a rank test says 0.0366."""
    path = observe_events(ErrorEventTest(), [True] * 4, [0.5] * 4, 2)
    assert path.first_beyond(EDGE) is None
    for ratio in (1.5, 3.0, 10.0, 1e6):
        best = observe_events(ErrorEventTest(), [True] * 4, [0.5] * 4, ratio).state.log_e
        assert best <= -math.log(0.0625) + 1e-9


@given(st.integers(1, 500), st.integers(1, 500))
def test_an_outage_of_both_arms_blames_nobody(candidates: int, champions: int) -> None:
    assert increment_of_counts(candidates, champions, candidates, champions, 2.0) == pytest.approx(0, abs=1e-9)
    rates = [bernoulli_bounds(n, n, alpha=0.025) for n in (candidates, champions)]
    assert non_inferiority_of_arms(rates[0], rates[1], better="lower").standing is not Standing.INFERIOR


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.1, 0.5]))
def test_a_burst_that_hits_arms_by_their_shares_is_weak_evidence(seed: int, w: float) -> None:
    """A thousand errors at once, as many of the candidate's as its share says, give or take one."""
    theirs = round(1000 * w)
    arms = np.random.default_rng(seed).permutation(np.arange(1000) < theirs)
    assert observe_events(ErrorEventTest(), arms, np.full(1000, w), 2.0).state.log_e < 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=80))
def test_late_and_reordered_labels_do_not_change_the_evidence_of_now(seen: list[float]) -> None:
    """What rests on counts and sums is the same in any order; `p` and betting bounds may differ, and each is valid."""
    blank = MixtureSprt(sd=1.0, tau=0.2)
    arms = [place % 2 == 0 for place in range(len(seen))]
    forth, back = blank.plus(arms, seen), blank.plus(arms[::-1], seen[::-1])
    assert back.log_e == pytest.approx(forth.log_e, abs=1e-9)
    assert quantile_log_e(seen, [0.5], 0.5) == pytest.approx(quantile_log_e(seen[::-1], [0.5], 0.5), abs=1e-12)


def test_an_arm_that_is_all_nan_is_refused_and_never_passes() -> None:
    nothing = [math.nan] * 10
    with pytest.raises(ValueError):
        BettingSequence(alpha=0.05).plus(nothing)
    with pytest.raises(ValueError):
        MixtureSprt(sd=1.0, tau=0.2).plus([True] * 10, nothing)
    with pytest.raises(ValueError):
        quantile_log_e(nothing, [1.0], 0.5)
    everything = (-math.inf, math.inf)
    assert non_inferiority_of_arms(everything, (0.1, 0.2)).standing is Standing.UNDECIDED


def test_an_arm_without_traffic_says_nothing() -> None:
    assert observe_events(ErrorEventTest(), [False] * 9, [0.0] * 9, 2.0).state.log_e == 0
    assert bernoulli_bounds(0, 0, alpha=0.05) == (0.0, 1.0)
    blank = BettingSequence(alpha=0.05)
    assert (blank.low, blank.high) == (0.0, 1.0)
    assert non_inferiority_of_arms((0.0, 1.0), (0.2, 0.21)).standing is Standing.UNDECIDED
