"""The fast way counts what the plain search counts, for every number that there is."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flyball.monitor.state import cells as cells_module
from flyball.monitor.state.cells import prepared
from flyball.monitor.state.grids import BLOCK, BitsGrid, LineGrid
from flyball.stats.binning.bins import NumericBins, fit_numeric
from flyball.stats.binning.fine_bins import fit_fine

TINY, HUGE = 5e-324, 1.7976931348623157e308
odd = st.sampled_from(
    [0.0, -0.0, 1.0, TINY, -TINY, 2.2e-308, 1e-46, HUGE, -HUGE, 3.5e38, -3.5e38, math.inf, -math.inf, math.nan]
)
near = st.integers(-3, 3).map(lambda n: 1.0 + n * 2**-52)
any_number = st.one_of(st.floats(), odd, near, st.integers(-9, 9).map(float))
edges_of = st.lists(st.one_of(st.floats(allow_nan=False, allow_infinity=False), odd, near), max_size=24)

DISTRIBUTIONS = (
    "normal",
    "lognormal",
    "integers",
    "cauchy",
    "pareto",
    "zero inflated",
    "flags",
    "tenths",
    "large offset",
    "steep",
)


@pytest.fixture(autouse=True)
def _no_number_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "FEW", 0)


@settings(max_examples=150)
@given(edges_of, st.data())
def test_every_number_is_counted_where_the_search_puts_it(edges: list[float], data: st.DataObject) -> None:
    kept = sorted({edge + 0.0 for edge in edges if math.isfinite(edge)})
    around = [x for e in kept for x in (e, math.nextafter(e, math.inf), math.nextafter(e, -math.inf), -e)]
    drawn = st.one_of(any_number, st.sampled_from(around)) if around else any_number
    values = np.array(data.draw(st.lists(drawn, max_size=80)), dtype=np.float64)
    assert prepared(kept).count(values).counts.tolist() == NumericBins(edges=tuple(kept)).count(values).tolist()


@settings(max_examples=60)
@given(arrays(np.uint64, st.integers(1, 64)), arrays(np.uint64, st.integers(0, 200)))
def test_every_pattern_of_bits_is_a_number_that_is_counted(
    ours: npt.NDArray[np.uint64], theirs: npt.NDArray[np.uint64]
) -> None:
    edges = tuple(np.unique(np.sort(ours.view(np.float64)[np.isfinite(ours.view(np.float64))] + 0.0)).tolist())
    assume(edges)
    values = np.concatenate([theirs.view(np.float64), np.array(edges)])
    assert prepared(edges).count(values).counts.tolist() == NumericBins(edges=edges).count(values).tolist()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("bins", [10, 64, 256])
def test_counts_of_long_columns_are_those_of_the_search(name: str, bins: int) -> None:
    rng = np.random.default_rng(7)
    sample = drawn(name, rng, 20_000)
    edges = fit_fine(sample, fit_numeric(sample).edges, bins=bins).edges
    values = np.concatenate(
        [drawn(name, rng, BLOCK + 1), np.array(edges), np.nextafter(edges, -np.inf), [np.nan, -np.inf]]
    )
    found = prepared(edges).count(values)
    assert found.counts.tolist() == NumericBins(edges=edges).count(values).tolist()
    assert (found.neg_inf, found.pos_inf, found.finite) == (1, 0, values.size - 2)
    finite = values[np.isfinite(values)]
    assert (found.low, found.high) == (finite.min(), finite.max())


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_no_usual_distribution_has_to_be_searched(name: str) -> None:
    sample = drawn(name, np.random.default_rng(3), 50_000)
    for bins in (64, 256):
        cells = prepared(fit_fine(sample, fit_numeric(sample).edges, bins=bins).edges)
        assert cells.grid is not None
        assert cells.crowded is None


def test_what_spans_magnitudes_takes_its_bits_and_the_rest_a_line() -> None:
    rng = np.random.default_rng(3)
    line, bits = (prepared(fit_numeric(drawn(n, rng, 50_000), bins=64).edges).grid for n in ("normal", "steep"))
    assert isinstance(line, LineGrid)
    assert isinstance(bits, BitsGrid)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8, np.uint32])
def test_other_types_are_counted_as_their_numbers(dtype: npt.DTypeLike) -> None:
    values = np.arange(100).astype(dtype)
    edges = (10.5, 50.0, 98.0)
    assert prepared(edges).count(values).counts.tolist() == NumericBins(edges=edges).count(values).tolist()


def test_the_sum_is_of_finite_numbers() -> None:
    found = prepared((0.0,)).count(np.array([1.0, np.inf, np.nan, 2.5]), total=True)
    assert (found.total, found.finite, found.pos_inf, found.counts.tolist()) == (3.5, 2, 1, [0, 3, 1])


def test_edges_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="increasing"):
        prepared((1.0, 1.0))


def drawn(name: str, rng: np.random.Generator, n: int) -> npt.NDArray[np.float64]:
    match name:
        case "normal":
            return rng.normal(size=n)
        case "lognormal":
            return rng.lognormal(0, 1, n)
        case "integers":
            return rng.poisson(200, n).astype(np.float64)
        case "cauchy":
            return rng.standard_cauchy(n)
        case "pareto":
            return rng.pareto(0.5, n)
        case "zero inflated":
            return np.where(rng.random(n) < 0.5, 0.0, rng.exponential(size=n))
        case "flags":
            return (rng.random(n) < 0.1).astype(np.float64)
        case "tenths":
            return rng.integers(-3, 9, n) / 10
        case "large offset":
            return 1e9 + rng.normal(size=n)
        case _:
            return np.asarray(rng.lognormal(0, 4, n))
