"""What the reference does by itself is allowed: a season is, one law all along is not."""

import numpy as np
import numpy.typing as npt
import pytest

from flyball.core.release import Reference
from flyball.stats.two_sample.stretches import allowance, stretches


def made(at: npt.NDArray[np.int64], size: int) -> Reference:
    counts = tuple(np.bincount(at, minlength=size).tolist())
    return Reference(kind="numeric", edges=tuple(range(size - 2)), counts=counts, stretches=stretches(at, size))


def test_the_stretches_are_the_counts_in_order() -> None:
    at = np.random.default_rng(0).integers(0, 5, 1003)
    found = made(at, 6)
    assert np.sum(found.stretches, axis=0).tolist() == list(found.counts)
    assert len(found.stretches) == 48


@pytest.mark.parametrize("rows", [200, 1000, 2000])
def test_one_law_all_along_has_no_allowance(rows: int) -> None:
    rng = np.random.default_rng(1)
    assert not any(allowance(made(rng.integers(0, 10, 8000), 11), rows, 0.1) for _ in range(50))


def test_a_season_is_allowed_and_shuffled_away() -> None:
    rng = np.random.default_rng(2)
    season = (5 + 4 * np.sin(np.arange(8000) / 8000 * 2 * np.pi) + rng.normal(0, 0.5, 8000)).astype(int)
    assert allowance(made(season, 11), 1000, 0.1) > 1
    assert allowance(made(rng.permutation(season), 11), 1000, 0.1) == 0.0


def test_a_window_as_long_as_half_the_reference_has_none() -> None:
    season = np.repeat([0, 1], 500)
    assert allowance(made(season, 3), 600, 0.1) == 0.0
    assert allowance(Reference(kind="numeric", counts=(1, 0)), 600, 0.1) == 0.0
