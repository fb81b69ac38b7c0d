"""Every measure meets every kind of bad input: a verdict with a reason, no exception, no number that is none."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from flyball.core.errors import NotEnoughData
from flyball.stats.two_sample.compare import MEASURES, compare
from flyball.stats.two_sample.divergences import (
    hellinger,
    jensen_shannon,
    jensen_shannon_distance,
    kl,
    l_infinity,
    psi,
    total_variation,
)
from flyball.stats.two_sample.domain_classifier import compare_domains
from flyball.stats.two_sample.earth_mover import compare_wasserstein, wasserstein_distance
from flyball.stats.two_sample.kolmogorov import compare_ks, ks_distance
from flyball.stats.two_sample.measure import Measure, Reading
from flyball.stats.two_sample.mmd import compare_rows

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
    "shares": ([0.5, 0.5], [0.4, 0.6], INVALID),
    "rounded shares": ([0.333, 0.334, 0.334], [400, 300, 300], INVALID),
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


@pytest.mark.parametrize("measure", MEASURES)
def test_settings_that_cannot_be_are_refused_all_at_once(measure: str) -> None:
    with pytest.raises(ValueError, match=r"limit.*alpha.*floor.*confidence.*null"):
        compare([50, 50], [50, 50], measure=measure, limit=-1, alpha=0, floor=-1, confidence=95, null="none")  # type: ignore[arg-type]
    for limit in (math.nan, math.inf):
        with pytest.raises(ValueError, match="limit"):
            compare([50, 50], [50, 50], measure=measure, limit=limit)
    assert compare([500, 500], [500, 500], measure=measure, limit=0).verdict is Reading.INSUFFICIENT


@pytest.mark.parametrize("measure", OF_VALUES)
def test_settings_of_measures_of_values_are_refused(measure: str) -> None:
    rng = np.random.default_rng(1)
    asked: dict[str, Callable[..., Measure]] = {
        "ks": compare_ks,
        "wasserstein": compare_wasserstein,
        "mmd": partial(compare_rows, rng=rng),
        "domain_classifier": partial(compare_domains, rng=rng),
    }
    with pytest.raises(ValueError, match=r"limit.*alpha"):
        asked[measure](GOOD, GOOD, limit=-1, alpha=7)


@pytest.mark.parametrize("measure", ["ks", "wasserstein", "mmd"])
def test_values_that_are_missing_are_told(measure: str) -> None:
    gaps = np.where(np.arange(200) % 10 == 0, math.nan, GOOD)
    found = OF_VALUES[measure](gaps, GOOD)
    assert (found.n, found.m) == (180, 200)
    assert "missing and left out: 20 of the reference, 0 now" in found.reason
    assert "missing" not in OF_VALUES[measure](GOOD, GOOD).reason


@pytest.mark.parametrize("distance", [ks_distance, wasserstein_distance])
def test_a_distance_of_values_refuses_missing_ones_and_none(distance: Callable[[Any, Any], float]) -> None:
    with pytest.raises(ValueError, match="reference: 1 missing, current: 2 missing"):
        distance([1.0, math.nan], [math.nan, None, 2.0])
    with pytest.raises(NotEnoughData, match="reference and current"):
        distance([], [])


FORMULAS = [psi, kl, jensen_shannon, jensen_shannon_distance, hellinger, l_infinity, total_variation]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_refuse_a_smoothing_that_cannot_be(formula: Callable[..., float]) -> None:
    for smoothing in (-0.5, math.nan, math.inf):
        with pytest.raises(ValueError, match="smoothing"):
            formula([5, 5], [6, 4], smoothing=smoothing)
    with pytest.raises(ValueError, match="current: expected counts of rows, found shares"):
        formula([5, 5], [0.6, 0.4], smoothing=0.5)
    assert formula([0.5, 0.5], [0.6, 0.4]) == pytest.approx(formula([5, 5], [6, 4]))  # without it only shares count


def test_faulty_counts_of_both_sides_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"reference: .*-1.*current: .*nan"):
        psi([-1, 5], [math.nan, 5])
    with pytest.raises(NotEnoughData, match="reference and current"):
        psi([0, 0], [0, 0])


def test_how_many_pairs_were_met() -> None:
    assert len(COUNTS) * len(MEASURES) == 19 * 9


def whole(found: Measure) -> None:
    """A reason always; a number only where there is one, and then a finite one with its interval in order."""
    assert found.reason
    assert found.n >= 0 <= found.m
    if found.verdict in (Reading.INVALID,):
        assert found.value is None
    if found.value is None:
        assert found.verdict in (Reading.INSUFFICIENT, Reading.INVALID)
        return
    assert found.p is not None
    if found.reason.startswith("constant"):
        assert (found.value, found.ci, found.mde) == (0.0, None, None)
        return
    assert found.ci is not None
    assert found.mde is not None
    assert all(math.isfinite(x) for x in (found.value, found.p, found.mde, *found.ci))
    assert found.ci[0] <= found.ci[1]
    assert 0 <= found.p <= 1
