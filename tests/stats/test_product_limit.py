"""The product limit: against a direct count, its censoring, and what it says of nobody."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.stats.product_limit import delay_edges, product_limit

EDGES = np.array([1.0, 2.0, 4.0, 8.0])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.lists(st.integers(0, 20), max_size=12)), min_size=1, max_size=6))
def test_it_is_the_product_over_bins_that_each_group_has_lived_through(groups: list[tuple[int, list[int]]]) -> None:
    ages = np.array([float(age) for age, _ in groups])
    rows = np.array([len(delays) for _, delays in groups])
    counts = np.array([[sum(lo <= d < hi for d in delays) for lo, hi in BINS] for _, delays in groups])
    found = product_limit(rows, ages, counts, EDGES)
    survival = 1.0
    for at, edge in enumerate(found.edges.tolist()):
        lived = [delays for age, delays in groups if age >= edge]
        risk = sum(sum(d >= BINS[at][0] for d in delays) for delays in lived)
        happened = sum(sum(BINS[at][0] <= d < BINS[at][1] for d in delays) for delays in lived)
        survival *= 1 - (happened / risk if risk else 0.0)
        assert abs(found.share[at] - (1 - survival)) < 1e-12
        assert found.low[at] <= found.share[at] + 1e-12
        assert found.high[at] >= found.share[at] - 1e-12
    assert found.edges.size == sum(edge <= ages.max() for edge in EDGES)


BINS = list(zip([0.0, *EDGES[:-1].tolist()], EDGES.tolist(), strict=True))


def test_rows_that_still_wait_are_neither_left_out_nor_counted_as_never() -> None:
    """Half of all labels take 0.5 s and half 3 s; the second group is too young to have shown the slow half."""
    rows, ages = np.array([100, 100]), np.array([9.0, 1.5])
    delays = np.array([[50, 0, 50, 0], [50, 0, 0, 0]])
    found = product_limit(rows, ages, delays, EDGES)
    assert found.at(1.0) == 0.5
    assert found.at(4.0) == 1.0  # of those left out it would be 2/3 by 1 s, of those counted as never 3/4 at the end
    assert (found.quantile(0.5), found.quantile(0.99)) == (1.0, 4.0)


def test_nobody_and_nothing_have_no_quantile() -> None:
    nothing = product_limit(np.zeros(0, dtype=int), np.zeros(0), np.zeros((0, 4), dtype=int), EDGES)
    never = product_limit(np.array([5]), np.array([9.0]), np.zeros((1, 4), dtype=int), EDGES)
    assert (nothing.quantile(0.5), nothing.at(3.0)) == (None, 0.0)
    assert (never.quantile(0.5), never.at(8.0)) == (None, 0.0)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Exponential delays, mean 3 s, ages 0 to 10 s; 3 binomial standard errors of 300 runs and 1.5 points."""
    rng, runs, held = np.random.default_rng(1), 300, 0
    edges = delay_edges(a_decade=4, longest=10.0)
    for _ in range(runs):
        ages = rng.uniform(0, 12, 80)
        delays = rng.exponential(3.0, (80, 5))
        seen = np.where(delays <= ages[:, None], delays, np.inf)
        bins = np.array([np.histogram(row, bins=[0.0, *edges.tolist()])[0] for row in seen])
        found = product_limit(np.full(80, 5), ages, bins, edges)
        truth = 1 - np.exp(-edges[2] / 3.0)
        held += bool(found.low[2] <= truth <= found.high[2])
    assert held / runs > 0.95 - 0.015 - 3 * np.sqrt(0.95 * 0.05 / runs)
