"""Fairness: no sign to hide behind, no group too small to count, and fairlearn's own figures."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipeline.suites.models import honest, subject

from flyball.pipeline.suites.fairness import _cells, fairness, odds_difference, parity_difference

RNG = np.random.default_rng
DECLARED: dict[str, Any] = {"fairness": {"attributes": ["group"], "max_difference": 0.1}, "min_support": 200}


@pytest.mark.parametrize("favoured", ["a", "b"])
def test_a_large_difference_fails_whichever_group_is_the_worse_off(favoured: str) -> None:
    unfair = subject(lambda f: np.clip(honest(f) + 0.3 * (f["group"].to_numpy() == favoured), 0, 1), **DECLARED)
    found = fairness(unfair, RNG(0))
    assert {t.verdict for t in found.tests if "parity" in t.name or "odds" in t.name} == {"FAIL"}
    assert found.metrics["fairness.demographic_parity_difference.group"].low > 0.1


def test_alike_groups_pass_and_a_small_one_is_named_and_never_a_pass() -> None:
    found = fairness(subject(honest, rows=8000, **DECLARED), RNG(0))
    told = {test.name: test for test in found.tests}
    assert told["demographic parity group"].verdict == "PASS"
    assert told["groups of group without support"].verdict == "INCONCLUSIVE"
    assert "c (" in told["groups of group without support"].reason


def test_one_group_alone_is_missing_evidence() -> None:
    found = fairness(subject(honest, **(DECLARED | {"min_support": 10_000})), RNG(0))
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
