"""Fine bins refine the coarse ones exactly, and fence the reference's range off."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.binning.bins import fit_numeric
from flyball.stats.binning.fine_bins import coarsened, fit_fine

numbers = st.lists(st.one_of(st.floats(), st.sampled_from([0.0, 1.0]), st.integers(-5, 5).map(float)), max_size=60)


@given(numbers, numbers, st.integers(2, 12), st.integers(2, 40))
def test_coarse_counts_are_sums_of_fine_ones(ours: list[float], theirs: list[float], coarse: int, bins: int) -> None:
    few = fit_numeric(ours, bins=coarse)
    many = fit_fine(ours, few.edges, bins=bins)
    for sample in (ours, theirs):
        found = coarsened(many.count(sample), many.edges, few.edges)
        assert found.tolist() == few.count(sample).tolist()


@given(numbers.filter(lambda values: any(math.isfinite(x) for x in values)), st.integers(2, 12))
def test_no_finite_value_of_the_reference_is_outside_of_its_range(ours: list[float], bins: int) -> None:
    finite = [x for x in ours if math.isfinite(x)]
    fitted = fit_fine(ours, fit_numeric(ours).edges, bins=bins)
    counts = fitted.count(finite)
    assert counts[0] == 0
    if max(finite) < np.finfo(np.float64).max:
        assert counts[-2] == 0
        assert fitted.count([_beyond(max(finite), math.inf)])[-2] == 1
    if min(finite) > -np.finfo(np.float64).max:
        assert fitted.count([_beyond(min(finite), -math.inf)])[0] == 1


def _beyond(value: float, way: float) -> float:
    """The next number that is not the same but for rounding; few values are taken with their rounding."""
    further = value + math.copysign(max(abs(value) * 1e-6, 1e-11), way)
    return further if math.isfinite(further) else math.copysign(np.finfo(np.float64).max, way)


def test_fine_bins_hold_equal_mass() -> None:
    sample = np.random.default_rng(1).normal(size=6400)
    counts = fit_fine(sample, (), bins=64).count(sample)
    assert counts.tolist() == [0, *[100] * 64, 0, 0]


def test_edges_that_do_not_refine_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[0.5\]"):
        coarsened([1, 1, 0], (1.0,), (0.5,))
    with pytest.raises(ValueError, match="3 counts"):
        coarsened([1, 1], (1.0,), (1.0,))
    with pytest.raises(ValueError, match="257"):
        fit_fine([1.0, 2.0], (), bins=257)
