"""A change of loss is a covariate and a concept part, exactly; and the second is 0 where only the rows changed."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.risk.expected_loss import bin_loss, least_gap, pooled, split

ROWS = st.lists(st.tuples(st.integers(0, 4), st.floats(0, 10)), min_size=2, max_size=60)


@given(ROWS, ROWS)
def test_before_plus_parts_is_now(then: list[tuple[int, float]], now: list[tuple[int, float]]) -> None:
    before, after = (bin_loss([at for at, _ in rows], [loss for _, loss in rows], 5) for rows in (then, now))
    found = split(before, after.rows, after)
    assert found.gap is not None
    assert found.before + found.covariate + found.gap == pytest.approx(after.mean, abs=1e-9)
    assert min(found.covariate_variance, found.gap_variance, found.shared_variance) >= 0


def test_rows_of_another_kind_that_lose_as_such_rows_did_have_no_concept_part() -> None:
    rng = np.random.default_rng(0)
    rate = np.array([0.05, 0.10, 0.40])

    def rows(shares: list[float], n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        at = rng.choice(3, n, p=shares)
        return at, (rng.random(n) < rate[at]).astype(float)

    outside, runs = 0, 400
    for _ in range(runs):
        then, now = bin_loss(*rows([0.6, 0.3, 0.1], 1000), 3), bin_loss(*rows([0.1, 0.3, 0.6], 1000), 3)
        found = split(then, now.rows, now)
        assert found.gap is not None
        assert found.covariate > 0.05
        outside += abs(found.gap) > 1.96 * np.sqrt(found.gap_variance + found.shared_variance)
    assert outside / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_the_same_rows_that_lose_more_are_concept_alone() -> None:
    then, now = bin_loss([0, 1] * 500, [0.0, 1.0] * 500, 2), bin_loss([0, 1] * 500, [1.0, 1.0] * 500, 2)
    found = split(then, now.rows, now)
    assert found.covariate == pytest.approx(0.0)
    assert found.gap == pytest.approx(0.5, abs=0.01)


def test_the_view_that_explains_most_is_taken() -> None:
    then, now = bin_loss([0, 1] * 500, [0.0, 1.0] * 500, 2), bin_loss([1] * 500, [1.0] * 500, 2)
    blind = split(bin_loss([0] * 1000, [0.0, 1.0] * 500, 1), [500], bin_loss([0] * 500, [1.0] * 500, 1))
    assert least_gap({"blind": blind, "telling": split(then, now.rows, now)}) == "telling"


def test_more_windows_are_surer_but_share_one_holdout() -> None:
    then, now = bin_loss([0, 1] * 50, [0.0, 1.0] * 50, 2), bin_loss([0, 1] * 500, [1.0, 0.0] * 500, 2)
    one = split(then, now.rows, now)
    four = pooled([one] * 4)
    assert four.gap_variance == pytest.approx(one.gap_variance / 4)
    assert four.shared_variance == pytest.approx(one.shared_variance)
    assert four.n == 4 * one.n


def test_without_rows_there_is_no_split() -> None:
    with pytest.raises(NotEnoughData):
        split(bin_loss([], [], 2), [1, 1])
    with pytest.raises(ValueError, match="same bins"):
        split(bin_loss([0], [1.0], 2), [1, 1, 1])
