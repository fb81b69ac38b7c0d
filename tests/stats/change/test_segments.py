"""Segments that fare worse are found, told once, and not made up."""

import numpy as np
import pytest

from flyball.stats.change.segments import scan


def test_a_planted_pair_of_conditions_is_found_first() -> None:
    rng = np.random.default_rng(0)
    views = {name: rng.integers(0, 5, 3000) for name in ("a", "b", "c", "d")}
    hit = (views["a"] == 1) & (views["b"] == 3)
    lost = rng.normal(0, 0.3, 3000) + np.where(hit, 0.8, 0.0)
    found = scan(lost, views)
    assert dict(found[0].where) == {"a": 1, "b": 3}
    assert found[0].rows == hit.sum()
    assert found[0].mean > 0.7
    assert found[0].share > 0.8
    assert not any({"c", "d"} & dict(one.where).keys() for one in found)


def test_rows_that_all_fare_alike_have_no_segment() -> None:
    rng = np.random.default_rng(1)
    views = {name: rng.integers(0, 8, 1000) for name in "abcdef"}
    assert scan(0.9 + rng.normal(0, 0.1, 1000), views) == ()
    assert scan(np.ones(1000), views) == ()
    assert scan([], {"a": []}) == ()


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.7, 0.95])
def test_without_a_segment_one_is_told_at_most_as_often_as_promised(rate: float) -> None:
    """The cells of 4,000 rows in ten bins hold 40 to 400: at a high rate many hold nothing but failures."""
    rng = np.random.default_rng(2)
    runs, false = 60, 0
    for _ in range(runs):
        views = {name: rng.integers(0, 8, 4000) for name in "abcde"}
        false += bool(scan((rng.random(4000) < rate) - rate, views))
    assert false / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
