"""The exact interval of a share holds it as often as it says, by the binomial probabilities themselves."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.exact_share import clopper_pearson
from flyball.stats.scoring.intervals import wilson


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 30, 100])
def test_it_holds_every_share_at_least_as_often_as_it_says(n: int) -> None:
    """No simulation: the probability of each count is known. Wilson's does not do so where the counts are few."""
    bounds = [clopper_pearson(k, n) for k in range(n + 1)]
    for share in np.linspace(0.001, 0.999, 500):
        held = sum(binom.pmf(k, n, share) for k, (low, high) in enumerate(bounds) if low <= share <= high)
        assert held >= 0.95 - 1e-9
    score = [wilson(k, n) for k in range(n + 1)]
    worst = min(
        sum(binom.pmf(k, n, share) for k, (low, high) in enumerate(score) if low <= share <= high)
        for share in np.linspace(0.001, 0.999, 500)
    )
    assert worst < 0.95


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (3, 17), (17, 17), (250, 1000)])
def test_it_is_the_one_that_others_compute(k: int, n: int) -> None:
    theirs = binomtest(k, n).proportion_ci(0.95, method="exact")
    assert clopper_pearson(k, n) == pytest.approx((theirs.low, theirs.high))


def test_of_nothing_and_of_more_than_all_there_is_none() -> None:
    with pytest.raises(NotEnoughData):
        clopper_pearson(0, 0)
    with pytest.raises(ValueError, match="3 of 2"):
        clopper_pearson(3, 2)
