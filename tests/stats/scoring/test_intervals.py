"""Intervals: published values, honest ends, and the sign that says better."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.delong import delong
from flyball.stats.scoring.intervals import (
    Interval,
    difference_of_shares,
    interval,
    paired_difference,
    rows_needed,
    wilson,
)
from flyball.stats.scoring.metrics import METRICS

rng = np.random.default_rng(5)
TRUTH = rng.integers(0, 2, 600)
GOOD = np.clip(0.5 * rng.random(600) + 0.4 * TRUTH, 0, 1)
BAD = np.clip(0.9 * rng.random(600) + 0.1 * TRUTH, 0, 1)
NUMBERS = rng.normal(10, 2, 600)
NEAR, FAR = NUMBERS + rng.normal(0, 1, 600), NUMBERS + rng.normal(0, 2, 600)
LABELS = sorted(name for name, metric in METRICS.items() if "binary" in metric.tasks)
REGRESSION = sorted(name for name, metric in METRICS.items() if "regression" in metric.tasks)


def dice() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_published_wilson_interval() -> None:
    assert wilson(3, 1000) == pytest.approx((0.00102, 0.00878), abs=5e-6)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1
    with pytest.raises(NotEnoughData):
        wilson(0, 0)


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_is_symmetric(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low))


def test_the_variance_of_an_area_is_that_of_its_placements() -> None:
    """DeLong's definition, pair by pair."""
    score = np.round(GOOD, 1)
    above, below = score[TRUTH == 1], score[TRUTH == 0]
    wins = (above[:, None] > below).astype(float) + (above[:, None] == below) / 2
    expected = wins.mean(1).var(ddof=1) / above.size + wins.mean(0).var(ddof=1) / below.size
    areas, covariance = delong(TRUTH == 1, score)
    assert areas[0] == pytest.approx(wins.mean())
    assert covariance[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("name", LABELS)
def test_an_interval_holds_its_value_and_narrows_with_rows(name: str) -> None:
    prediction = (GOOD >= 0.5).astype(int)
    few = interval(name, TRUTH[:150], prediction[:150], GOOD[:150], rng=dice())
    many = interval(name, TRUTH, prediction, GOOD, rng=dice())
    assert few.low <= few.value <= few.high
    assert many.low <= many.value <= many.high
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize("name", LABELS)
def test_a_better_classifier_is_better_by_a_positive_amount(name: str) -> None:
    a, b = ((BAD >= 0.5).astype(int), BAD), ((GOOD >= 0.5).astype(int), GOOD)
    found = paired_difference(name, TRUTH, a, b, rng=dice())
    back = paired_difference(name, TRUTH, b, a, rng=dice())
    assert 0 < found.low < found.value < found.high
    assert (back.value, back.low, back.high) == pytest.approx((-found.value, -found.high, -found.low), abs=1e-6)


@pytest.mark.parametrize("name", REGRESSION)
def test_a_better_regressor_is_better_by_a_positive_amount(name: str) -> None:
    found = paired_difference(name, NUMBERS, (FAR, None), (NEAR, None), rng=dice())
    assert 0 < found.low < found.value < found.high
    assert interval(name, NUMBERS, NEAR, rng=dice()).high < interval(name, NUMBERS, FAR, rng=dice()).low


@pytest.mark.parametrize("name", LABELS)
def test_three_classes_have_intervals_too(name: str) -> None:
    truth = rng.integers(0, 3, 300)
    guess = np.where(rng.random(300) < 0.7, truth, (truth + 1) % 3)
    scores = 0.4 * np.eye(3)[guess] + 0.2
    words = np.array(["a", "b", "c"])
    found = interval(name, words[truth], words[guess], scores, rng=dice())
    assert found.low <= found.value <= found.high
    none = paired_difference(name, words[truth], (words[guess], scores), (words[guess], scores), rng=dice())
    assert none.value == 0
    assert none.low <= 0 <= none.high


def test_equal_models_at_few_rows_are_not_proven_equal() -> None:
    found = paired_difference("accuracy", [1, 0, 1], ([1, 0, 1], None), ([1, 0, 1], None), rng=dice())
    assert found.low < -0.2


def test_a_perfect_order_of_few_rows_is_not_a_certainty() -> None:
    found = interval("roc_auc", [0, 0, 0, 1, 1, 1], None, [0.1, 0.2, 0.3, 0.7, 0.8, 0.9], rng=dice())
    assert (found.value, found.high, found.method) == (1.0, 1.0, "exact")
    assert found.low == pytest.approx(0.025 ** (1 / 3))


def test_the_same_generator_gives_the_same_interval() -> None:
    assert interval("pr_auc", TRUTH, None, GOOD, rng=dice()) == interval("pr_auc", TRUTH, None, GOOD, rng=dice())


def test_the_published_difference_of_paired_shares() -> None:
    """Bonett and Price 2012, adding one to each discordant cell: by hand for 20 and 10 of 100."""
    found = difference_of_shares(20, 10, 100)
    up, down = 21 / 102, 11 / 102
    half = 1.959964 * np.sqrt((up + down - (up - down) ** 2) / 102)
    assert (found.value, found.low, found.high) == pytest.approx((0.1, up - down - half, up - down + half), abs=1e-6)


def test_the_rows_an_undecided_gate_would_need() -> None:
    found = Interval(value=0.0, low=-0.01, high=0.01, n=10_000, method="normal")
    assert rows_needed(found, 0.005) == 40_000
    assert rows_needed(found, 0.02) == 10_000  # decided already
    worse = Interval(value=-0.01, low=-0.03, high=0.01, n=1000, method="normal")
    assert rows_needed(worse, 0.005) == 16_000  # to fail it
    assert rows_needed(worse, 0.01) is None


def test_too_few_rows_for_a_variance_are_said() -> None:
    with pytest.raises(NotEnoughData):
        interval("mae", [1.0], [2.0], rng=dice())
    with pytest.raises(NotEnoughData):
        interval("roc_auc", [0, 1], None, [0.1, 0.9], rng=dice())
