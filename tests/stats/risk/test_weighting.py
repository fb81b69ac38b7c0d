"""Importance weights: what they bring back, and when they are refused."""

import numpy as np
import pytest

from flyball.core.errors import NotEnoughData
from flyball.stats.risk.weighting import bin_ratio, weights


def test_equal_weights_are_worth_all_rows_and_unequal_ones_fewer() -> None:
    assert weights(np.ones(50)).ess == pytest.approx(50)
    some = np.r_[np.full(50, 2.0), np.zeros(50)]
    assert weights(some).ess == pytest.approx(50)
    assert weights(some).each.mean() == pytest.approx(1)


def test_the_largest_hundredth_is_clipped() -> None:
    found = weights(np.r_[np.ones(995), np.full(5, 1e6)])
    assert found.clipped == 5
    assert found.each.max() == pytest.approx(1)


@pytest.mark.parametrize("ratio", [np.r_[np.full(20, 1.0), np.zeros(980)], np.zeros(10), np.zeros(0)])
def test_rows_that_are_too_unlike_todays_are_refused(ratio: np.ndarray) -> None:
    with pytest.raises(NotEnoughData):
        weights(ratio)


@pytest.mark.parametrize("ratio", [[1.0, np.nan], [1.0, np.inf], [1.0, -1.0]])
def test_faulty_weights_are_told(ratio: list[float]) -> None:
    with pytest.raises(ValueError, match="finite weights"):
        weights(ratio)


def test_a_ratio_by_bin_gives_todays_mix_exactly() -> None:
    code = np.repeat([0, 1, 2], [700, 200, 100])
    found = bin_ratio(code, np.bincount(code), [10, 20, 70])
    share = np.bincount(code, found) / found.sum()
    assert share == pytest.approx([0.1, 0.2, 0.7])
    with pytest.raises(NotEnoughData):
        bin_ratio(code, np.bincount(code), [0, 0, 0])
