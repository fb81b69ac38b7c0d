"""Data on which published judges of canaries fail: what the standard tests say of them, and what we say.

The numbers of the effect sizes are those of the public test suite of Kayenta's judge, to two digits.
"""

import math

import numpy as np
import pytest
from scipy import stats
from tests.decide.rollouts import routing, seen
from tests.decide.test_ab_report import unit_sums

from flyball.core.routing import ArmCounts
from flyball.core.service import Canary, Step
from flyball.decide.ab_report import difference
from flyball.decide.fixed_sample import ArmUnits, Comparison, compare_once
from flyball.decide.rollout import advance, judge
from flyball.stats.sequential_tests.sequential import ErrorEventTest, rollback_bound

SPIKES, FLAT = [100.0] * 7 + [1.0] * 3, [1.0] * 10
FEW, NONE = [0.0, 1.0, 2.0, 1.0, 0.0, 0.0], [0.0] * 6

HIGH = [
    29.18, 25.17, 25.88, 29.49, 27.06, 26.13, 27.27, 26.69, 29.05, 26.40, 26.68, 25.00, 28.00, 22.57, 23.73,
    25.83, 28.27, 28.02, 24.18, 26.03, 25.91, 31.18, 27.44, 29.93, 26.71, 28.12, 27.39, 30.18, 29.60, 30.11,
]  # fmt: skip
BESIDE_HIGH = [
    24.69, 25.37, 25.86, 26.94, 22.72, 24.16, 24.81, 26.08, 27.35, 23.25, 24.66, 23.88, 21.35, 26.33, 23.39,
    26.67, 25.34, 23.92, 25.30, 24.21, 28.17, 22.23, 27.17, 25.17, 26.86, 27.13, 25.43, 26.32, 23.89, 27.86,
]  # fmt: skip
LOW = [
    22.58, 18.83, 22.34, 18.52, 19.41, 21.77, 24.34, 22.16, 23.78, 21.39, 22.22, 22.06, 21.30, 21.60, 22.38,
    24.69, 20.59, 21.03, 22.26, 23.76, 20.56, 24.57, 19.86, 22.19, 20.31, 19.26, 24.60, 20.42, 20.62, 22.53,
]  # fmt: skip
BESIDE_LOW = [
    23.15, 22.09, 26.56, 23.10, 24.26, 25.65, 29.43, 22.09, 29.15, 25.81, 24.62, 23.67, 23.64, 26.45, 25.76,
    25.41, 22.64, 24.59, 25.02, 25.04, 23.80, 26.60, 25.99, 22.47, 28.32, 24.30, 22.84, 21.92, 23.45, 29.16,
]  # fmt: skip


def once(ours: list[float], theirs: list[float], margin: float = 0.0) -> Comparison:
    """Lower is better, as with errors and delays."""
    dice = np.random.default_rng(5)
    return compare_once(ArmUnits(values=ours), ArmUnits(values=theirs), margin=margin, better="lower", rng=dice)


def test_seven_spikes_of_ten_are_flagged() -> None:
    """A judge that compares medians or trims outliers lets them pass."""
    assert stats.mannwhitneyu(SPIKES, FLAT, alternative="greater").pvalue == pytest.approx(0.00081, abs=5e-6)
    assert stats.fisher_exact(np.array([[7, 3], [0, 10]]), alternative="greater").pvalue == pytest.approx(
        0.00155, abs=5e-6
    )
    assert once(SPIKES, FLAT).kind == "WORSE"


def test_four_events_to_none_are_an_honest_no_answer() -> None:
    """The rank test says 0.0366 because it takes six ties for certainty; the count says what four tosses can say."""
    assert stats.mannwhitneyu(FEW, NONE, alternative="greater").pvalue == pytest.approx(0.0366, abs=5e-5)
    assert stats.binomtest(4, 4, 0.5, alternative="greater").pvalue == 0.0625
    assert once(FEW, NONE).kind == "INCONCLUSIVE"
    test = ErrorEventTest()
    for _ in range(4):
        test = test.observe(True, 0.5, 2)
    assert 0 < test.log_e < rollback_bound(0.05, 2)


def test_effect_sizes_of_the_published_suite() -> None:
    """An effect size alone decides nothing: 0.77 of the pairs higher is far from chance here, at n = 30."""

    def cles(ours: list[float], theirs: list[float]) -> float:
        return float(stats.mannwhitneyu(ours, theirs).statistic) / (len(ours) * len(theirs))

    assert cles([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == 0.5
    assert cles(HIGH, BESIDE_HIGH) == pytest.approx(0.771, abs=2e-3)
    assert cles(LOW, BESIDE_LOW) == pytest.approx(0.12, abs=2e-3)
    ours, theirs = np.array([5.0, 5, 5, 10, 10, 10]), np.array([1.0, 1, 1, 2, 2, 2])
    pooled = math.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / 2)
    assert (ours.mean() - theirs.mean()) / pooled == pytest.approx(3.03821, abs=1e-5)
    assert once(HIGH, BESIDE_HIGH).kind == "WORSE"
    assert once(LOW, BESIDE_LOW).kind == "SUPERIOR"
    assert once(list(ours), list(theirs)).kind == "WORSE"


@pytest.mark.parametrize("n", [5, 50, 500])
def test_an_arm_that_is_no_number_is_invalid(n: int) -> None:
    for ours, theirs in (([math.nan] * n, [1.0] * n), ([1.0] * n, [math.nan] * n), ([math.nan] * n,) * 2):
        answer = once(ours, theirs, 1e9)
        assert (answer.kind, "no number" in answer.reason) == ("INVALID", True)


def test_one_missing_number_leaves_no_answer_instead_of_another_sample() -> None:
    assert once([math.nan, *[1.0] * 99], [1.0, 2.0] * 50, 1e9).kind == "INCONCLUSIVE"


def test_an_arm_without_traffic_is_no_answer() -> None:
    for ours, theirs in (([], FLAT), (FLAT, []), ([], [])):
        assert once(ours, theirs, 1e9).kind == "INCONCLUSIVE"


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5])
def test_a_metric_that_never_varies_is_invalid_and_never_passes(value: float) -> None:
    for n in (10, 1000):
        assert once([value] * n, [value] * n, 1e9).kind == "INVALID"


def test_a_metric_that_is_constant_in_one_arm_only_is_a_comparison() -> None:
    assert once([0.0] * 100, [0.0, 1.0] * 50, 0.1).kind == "SUPERIOR"


def test_everything_failing_in_both_arms_is_not_the_candidates_fault() -> None:
    assert once([1.0] * 200, [1.0] * 1800).kind == "INVALID"


def test_an_ab_test_shows_no_difference_of_what_is_no_number_or_has_no_rows() -> None:
    sound = unit_sums(np.arange(100) % 2, np.ones(100))
    broken = unit_sums(np.full(100, math.nan), np.ones(100))
    empty = unit_sums(np.zeros(100), np.zeros(100))
    for arm in (broken, empty):
        assert difference(arm, sound, 0.05) is None
        assert difference(sound, arm, 0.05) is None


@pytest.mark.parametrize("arm", ["candidate", "champion"])
def test_a_rollout_whose_arm_has_no_traffic_is_not_advanced(arm: str) -> None:
    full = ArmCounts(requests=5000, units=5000)
    found = seen(candidate=ArmCounts() if arm == "candidate" else full, champion=full if arm == "candidate" else None)
    verdict = advance(Step(canary=Canary(weight=0.1)), routing(), found, elapsed_s=4000)
    assert verdict.kind in ("INVALID", "INCONCLUSIVE")
    assert judge(routing(), found).kind != "PROMOTE"
    assert verdict.reason
