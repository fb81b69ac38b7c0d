"""Fairness: no sign to hide behind, no group too small to count, and fairlearn's own figures."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipeline.suites.models import changed, honest, subject

from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.fairness import _bounds, _cells, fairness, odds_difference, parity_difference

RNG = np.random.default_rng
DECLARED: dict[str, Any] = {"fairness": {"attributes": ["group"], "max_difference": 0.1}, "min_support": 200}


@pytest.mark.parametrize("favoured", ["a", "b"])
def test_a_large_difference_fails_whichever_group_is_the_worse_off(favoured: str) -> None:
    unfair = subject(lambda f: np.clip(honest(f) + 0.3 * (f["group"].to_numpy() == favoured), 0, 1), **DECLARED)
    found = fairness(unfair)
    assert {t.verdict for t in found.tests if "parity" in t.name or "odds" in t.name} == {"FAIL"}
    assert found.metrics["fairness.demographic_parity_difference.group"].low > 0.1


def test_alike_groups_pass_and_a_small_one_is_named_and_never_a_pass() -> None:
    found = fairness(subject(honest, rows=8000, **DECLARED))
    told = {test.name: test for test in found.tests}
    assert told["demographic parity group"].verdict == "PASS"
    assert told["groups of group without support"].verdict == "INCONCLUSIVE"
    assert "c (" in told["groups of group without support"].reason


def test_a_rare_class_with_a_larger_value_hides_no_class_that_surely_differs() -> None:
    """Two large groups surely differ by 0.08; a group of 36 rows by 0.09 in rare `c`, 0.10 in `b`, both unsure."""
    answers = {"x": (4600, 5200, 200), "y": (3800, 6000, 200), "p": (14, 18, 4)}
    group = np.concatenate([np.repeat(name, sum(counts)) for name, counts in answers.items()])
    given = np.concatenate([np.repeat(["a", "b", "c"], counts) for counts in answers.values()])
    one = subject(honest, rows=4, fairness={"attributes": ["group"], "max_difference": 0.05}, min_support=30)
    scored = Scored(truth=given, predictions=given, scores=None)
    found = fairness(changed(one, holdout=pl.DataFrame({"group": group}), scored=scored, classes=("a", "b", "c")))
    told = {test.name: test for test in found.tests}["demographic parity group"]
    assert told.verdict == "FAIL"
    assert told.value == pytest.approx(0.1)
    assert 0.055 < (told.low or 0.0) < 0.08
    rare = _bounds(
        "demographic_parity", _cells(given == "c", given == "c", np.unique(group, return_inverse=True)[1]), classes=3
    )
    assert rare[0] < 0.05


def test_the_bounds_hold_for_all_comparisons_at_once() -> None:
    """Five equal groups, three classes: a difference that is not there is claimed in at most 5 % of 400 samples."""
    claimed = missed = 0
    for seed in range(400):
        rng = RNG(seed)
        group = np.repeat(np.arange(5), 300)
        predictions = rng.choice(["a", "b", "c"], 1500, p=[0.5, 0.3, 0.2])
        shares = [
            _bounds("demographic_parity", _cells(predictions == label, predictions == label, group), classes=3)
            for label in "abc"
        ]
        claimed += max(low for low, _ in shares) > 0
        missed += max(high for _, high in shares) < 0
    assert (claimed <= 0.05 * 400 + 3 * np.sqrt(400 * 0.05 * 0.95), missed) == (True, 0)


def test_one_group_alone_is_missing_evidence() -> None:
    found = fairness(subject(honest, **(DECLARED | {"min_support": 10_000})))
    assert [t.verdict for t in found.tests if t.name == "fairness group"] == ["FAIL"]
    assert "fairness.demographic_parity_difference.group" in found.missing


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(max_examples=20, deadline=None)
def test_the_bootstrap_formula_is_fairlearns(seed: int, number: int) -> None:
    fairlearn = pytest.importorskip("fairlearn.metrics")
    rng = RNG(seed)
    group = np.concatenate([np.repeat(np.arange(number), 10), rng.integers(0, number, 200)])
    truth, answer = rng.random(group.size) < 0.5, rng.random(group.size) < 0.3 + 0.1 * group
    truth[: 10 * number : 2], truth[1 : 10 * number : 2] = True, False
    cells = _cells(truth, answer, group)
    features = {"sensitive_features": group}
    assert float(parity_difference(cells)) == pytest.approx(
        fairlearn.demographic_parity_difference(truth, answer, **features)
    )
    assert float(odds_difference(cells)) == pytest.approx(
        fairlearn.equalized_odds_difference(truth, answer, **features)
    )
