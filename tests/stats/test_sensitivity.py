"""A model cares for what it reads, in the measure in which it reads it."""

import numpy as np
import polars as pl
import pytest

from flyball.stats.sensitivity import permutation_sensitivity

ROWS = pl.DataFrame(np.random.default_rng(0).normal(size=(400, 3)), schema=["a", "b", "noise"])


def test_shares_follow_the_weights_of_a_linear_model() -> None:
    found = permutation_sensitivity(
        lambda rows: rows["a"] + 3 * rows["b"], ROWS, ROWS.columns, rng=np.random.default_rng(1)
    )
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["b"] / found["a"] == pytest.approx(3.0, rel=0.15)
    assert found["noise"] == 0.0


def test_many_scores_a_row_count_together_and_a_constant_model_cares_for_nothing() -> None:
    two = permutation_sensitivity(
        lambda rows: rows.select("a", "b").to_numpy(), ROWS, ROWS.columns, rng=np.random.default_rng(1)
    )
    assert two["a"] == pytest.approx(0.5, abs=0.1)
    none = permutation_sensitivity(lambda rows: np.zeros(rows.height), ROWS, ["a"], rng=np.random.default_rng(1))
    assert none == {"a": 0.0}
