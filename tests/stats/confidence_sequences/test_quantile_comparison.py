"""Quantiles of two arms: upstream values and laws."""

import math
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.stats.confidence_sequences.bernoulli_sequence import rate_log_e
from flyball.stats.confidence_sequences.quantile_comparison import quantile_log_e, quantile_log_e_of_counts
from flyball.stats.experiment.ratio_mismatch import anytime_p

RUN = np.arange(1, 1001)
arms = st.lists(st.one_of(st.floats(0.01, 30), st.integers(1, 5).map(float)), min_size=1, max_size=60)
levels = st.sampled_from([0.1, 0.5, 0.9])
alternatives: st.SearchStrategy[Literal["different", "larger"]] = st.sampled_from(["different", "larger"])


@pytest.mark.parametrize(
    ("p", "offset", "expected"),
    [(0.5, 70, 0.814704), (0.5, 85, 0.0838055), (0.5, 100, 0.0054947), (0.9, 55, 0.0340463)],
)
def test_the_upstream_values(p: float, offset: int, expected: float) -> None:
    """confseq: 1 to 1000 against the same moved by an offset, t_opt = 100."""
    for one, other in ((RUN, RUN + offset), (RUN + offset, RUN)):
        found = anytime_p(quantile_log_e(one, other, p, n_opt=100))
        assert found == pytest.approx(expected, abs=5e-7)


def by_search(candidate: list[float], champion: list[float], p: float) -> float:
    """The least evidence over common quantiles, by brute force: every place, gap and share of a tie."""
    places = sorted({*candidate, *champion})
    tried = [places[0] - 1, *places, *[(a + b) / 2 for a, b in pairwise(places)], places[-1] + 1]

    def arm(seen: list[float], x: float) -> float:
        below, upto = sum(value < x for value in seen), sum(value <= x for value in seen)
        return min(rate_log_e(len(seen), k, p, n_opt=100) for k in np.linspace(below, upto, 21))

    return min(arm(candidate, x) + arm(champion, x) for x in tried)


@settings(max_examples=30, deadline=None)
@given(arms, arms, levels)
def test_it_is_the_least_over_all_common_quantiles(one: list[float], other: list[float], p: float) -> None:
    found = quantile_log_e(one, other, p, n_opt=100)
    assert found <= by_search(one, other, p) + 1e-9
    assert found == pytest.approx(by_search(one, other, p), abs=0.02)


@given(arms, arms, levels, alternatives)
def test_a_histogram_has_at_most_the_evidence_of_its_sample(
    one: list[float], other: list[float], p: float, alternative: Literal["different", "larger"]
) -> None:
    edges = (1.0, 2.0, 4.0, 8.0, 16.0)
    mine, theirs = (np.bincount(np.searchsorted(edges, arm), minlength=6).tolist() for arm in (one, other))
    binned = quantile_log_e_of_counts(mine, theirs, edges, p, alternative=alternative, n_opt=100)
    whole = quantile_log_e(one, other, p, alternative=alternative, n_opt=100)
    assert binned <= whole + 1e-9


@given(arms, arms, levels, alternatives)
def test_values_that_are_bins_are_their_histogram(
    one: list[float], other: list[float], p: float, alternative: Literal["different", "larger"]
) -> None:
    edges = (1.0, 2.0, 4.0, 8.0, 16.0)
    a, b = np.searchsorted(edges, one), np.searchsorted(edges, other)
    mine, theirs = np.bincount(a, minlength=6).tolist(), np.bincount(b, minlength=6).tolist()
    binned = quantile_log_e_of_counts(mine, theirs, edges, p, alternative=alternative, n_opt=100)
    assert quantile_log_e(a, b, p, alternative=alternative, n_opt=100) == pytest.approx(binned, abs=1e-9)


@given(arms, arms, levels)
def test_arms_may_change_names_and_one_that_is_worse_everywhere_is_more_evidence(
    one: list[float], other: list[float], p: float
) -> None:
    assert quantile_log_e(one, other, p) == pytest.approx(quantile_log_e(other, one, p), abs=1e-9)
    slower = [value + 1 for value in one]
    before = quantile_log_e(one, other, p, alternative="larger")
    assert quantile_log_e(slower, other, p, alternative="larger") >= before - 1e-9


def test_only_the_slower_arm_is_blamed() -> None:
    slow = quantile_log_e(RUN + 200, RUN, 0.9, alternative="larger", n_opt=1000)
    fast = quantile_log_e(RUN, RUN + 200, 0.9, alternative="larger", n_opt=1000)
    assert slow > math.log(20)
    assert fast < 0


def test_ten_values_an_arm_are_too_few_for_a_median_and_a_hundred_enough() -> None:
    """The arms of the reference page, 5.10: [100 x 7, 1 x 3] against [1 x 10]."""
    few = quantile_log_e([100.0] * 7 + [1.0] * 3, [1.0] * 10, 0.5, alternative="larger", n_opt=20)
    many = quantile_log_e([100.0] * 70 + [1.0] * 30, [1.0] * 100, 0.5, alternative="larger", n_opt=20)
    assert few < math.log(20) < many


def test_an_arm_without_values_and_a_constant_metric_say_nothing() -> None:
    assert quantile_log_e([], RUN, 0.5) == 0.0
    assert quantile_log_e([3.0] * 900, [3.0] * 800, 0.5) <= 0
    assert quantile_log_e_of_counts([0, 0], [5, 5], [1.0], 0.5) == 0.0
    with pytest.raises(ValueError, match="NaN"):
        quantile_log_e([math.nan], RUN, 0.5)
