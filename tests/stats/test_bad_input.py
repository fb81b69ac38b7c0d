"""Every measure meets every kind of bad input: a verdict with a reason, no exception, no number that is none."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from flyball.stats.compare import MEASURES, compare
from flyball.stats.domain_classifier import compare_domains
from flyball.stats.earth_mover import compare_wasserstein
from flyball.stats.kolmogorov import compare_ks
from flyball.stats.measure import Measure, Reading
from flyball.stats.mmd import compare_rows

GOOD = np.random.default_rng(8).normal(size=200)


OF_VALUES: dict[str, Callable[[Any, Any], Measure]] = {
    "ks": compare_ks,
    "wasserstein": compare_wasserstein,
    "mmd": lambda r, c: compare_rows(r, c, rng=np.random.default_rng(1)),
    "domain_classifier": lambda r, c: compare_domains(r, c, rng=np.random.default_rng(2), folds=2),
}
INSUFFICIENT, INVALID = {Reading.INSUFFICIENT}, {Reading.INVALID}
SAID = {Reading.OK, Reading.DRIFT, Reading.INSUFFICIENT, Reading.INVALID}

# name -> counts of both sides, verdicts that are right
COUNTS: dict[str, tuple[Any, Any, set[Reading]]] = {
    "empty window": ([50, 50, 0], [0, 0, 0], INSUFFICIENT),
    "empty reference": ([0, 0, 0], [50, 50, 0], INSUFFICIENT),
    "no bins": ([], [], INSUFFICIENT),
    "all missing": ([500, 500, 0], [0, 0, 900], {Reading.DRIFT}),
    "constant": ([0, 900, 0], [0, 700, 0], {Reading.OK}),
    "one row": ([500, 500, 0], [1, 0, 0], INSUFFICIENT),
    "one row each": ([1, 0], [0, 1], INSUFFICIENT),
    "infinite": ([500, 500], [math.inf, 1], INVALID),
    "not a number": ([500, math.nan], [500, 500], INVALID),
    "negative": ([500, -1], [500, 500], INVALID),
    "mixed types": ([500, "x"], [500, 500], INVALID),
    "words": (["a", "b"], ["a", "b"], INVALID),
    "nothing": ([None, 500], [500, 500], INVALID),
    "a category per row": (
        [1] * 600 + [0] * 600,
        [0] * 600 + [1] * 600,
        SAID,
    ),  # no single share moved: OK to l_infinity
    "different columns": ([500, 500], [500, 500, 100], INVALID),
    "a table": ([[500, 500]], [[500, 500]], INVALID),
    "huge": ([10**15, 10**15], [10**15, 10**15], {Reading.OK}),
    "shares": ([0.5, 0.5], [0.4, 0.6], INSUFFICIENT),
}
INF = math.inf
VALUES: dict[str, tuple[Any, Any]] = {
    "empty window": (GOOD, []),
    "empty reference": ([], GOOD),
    "all missing": (GOOD, [math.nan] * 200),
    "constant": ([3.0] * 200, [3.0] * 200),
    "now constant": (GOOD, [0.0] * 200),
    "another constant": ([5.0] * 200, [5000.0] * 200),
    "one row": (GOOD, [1.0]),
    "infinite": (GOOD, [INF] * 100 + [-INF] * 100),
    "mixed types": (GOOD, ["x", 1.0] * 100),
    "words": (["a"] * 200, ["b"] * 200),
    "different columns": (np.zeros((200, 2)), np.zeros((200, 3))),
    "a value per row": (np.arange(200.0), np.arange(200.0) + 0.5),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name: str) -> None:
    reference, current, right = COUNTS[name]
    for measure in MEASURES:
        found = compare(reference, current, measure=measure)
        assert found.verdict in right, (measure, found)
        whole(found)
        if name == "a category per row":
            assert (found.verdict is Reading.OK) == (measure == "l_infinity")


def test_values() -> None:
    met = 0
    for measure, function in OF_VALUES.items():
        for name, (reference, current) in VALUES.items():
            found = function(reference, current)
            assert found.verdict in SAID, (measure, name)
            if name in ("empty window", "empty reference", "one row"):
                assert found.verdict is Reading.INSUFFICIENT, (measure, found)
            if name in ("mixed types", "words"):
                assert found.verdict is Reading.INVALID, (measure, found)
            whole(found)
            met += 1
    assert met == 4 * 12


def test_how_many_pairs_were_met() -> None:
    assert len(COUNTS) * len(MEASURES) == 18 * 9


def whole(found: Measure) -> None:
    """A reason always; a number only where there is one, and then a finite one with its interval in order."""
    assert found.reason
    assert found.n >= 0 <= found.m
    if found.verdict in (Reading.INVALID,):
        assert found.value is None
    if found.value is None:
        assert found.verdict in (Reading.INSUFFICIENT, Reading.INVALID)
        return
    assert found.ci is not None
    assert found.p is not None
    assert found.mde is not None
    assert all(math.isfinite(x) for x in (found.value, found.p, found.mde, *found.ci))
    assert found.ci[0] <= found.ci[1]
    assert 0 <= found.p <= 1
