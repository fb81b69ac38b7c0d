"""Planted drifts: one feature changes as it is said, everything else stays, and the dice decide the same again."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.release import Baseline, Reference
from flyball.monitor.planting import KINDS, MISSING, UNSEEN, UNSEEN_VALUE, DriftKind, fits, plant, watched

ROWS = pl.DataFrame(
    {
        "x.amount": [float(n % 17) for n in range(2000)],
        "x.country": ["home", "near"] * 1000,
        "x.empty": pl.Series([None] * 2000, dtype=pl.Float64),
        "x.same": [3] * 2000,
        "x.zero": [0.0] * 2000,
        "prediction": [1] * 2000,
    }
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 9))
def test_nothing_but_the_feature_changes_and_the_same_dice_do_the_same(kind: DriftKind, seed: int) -> None:
    feature = "country" if kind == "new category" else "amount"
    drifted = plant(ROWS, feature, kind, rng=rng(seed))
    assert drifted.drop(f"x.{feature}").equals(ROWS.drop(f"x.{feature}"))
    assert not drifted.equals(ROWS)
    assert drifted.height == ROWS.height
    assert drifted.columns == ROWS.columns
    assert drifted.equals(plant(ROWS, feature, kind, rng=rng(seed)))


def test_each_kind_changes_as_much_as_it_says() -> None:
    before = ROWS["x.amount"].to_numpy()
    moved = {kind: plant(ROWS, "amount", kind, rng=rng())["x.amount"] for kind in ("shift", "scale", "unit x1000")}
    assert np.allclose(moved["shift"].to_numpy() - before, before.std())
    assert moved["scale"].to_numpy().mean() == pytest.approx(before.mean())
    assert moved["scale"].to_numpy().std() == pytest.approx(2 * before.std())
    assert np.allclose(moved["unit x1000"].to_numpy(), 1000 * before)
    error = 4 * np.sqrt(0.25 / ROWS.height)
    gone = plant(ROWS, "amount", "missing", rng=rng())["x.amount"].null_count() / ROWS.height
    fresh = (plant(ROWS, "country", "new category", rng=rng())["x.country"] == UNSEEN_VALUE).sum() / ROWS.height
    assert gone == pytest.approx(MISSING, abs=error)
    assert fresh == pytest.approx(UNSEEN, abs=error)


@pytest.mark.parametrize(
    ("feature", "kinds"),
    [
        ("amount", {"shift", "scale", "missing", "unit x1000"}),
        ("country", {"missing", "new category"}),
        ("empty", set()),
        ("same", {"missing", "unit x1000"}),
        ("zero", {"missing"}),
    ],
)
def test_a_drift_is_planted_only_where_it_changes_something(feature: str, kinds: set[str]) -> None:
    assert {kind for kind in KINDS if fits(kind, ROWS[f"x.{feature}"])} == kinds


def test_features_are_those_of_the_release_that_are_watched_and_in_the_log() -> None:
    one = Reference(kind="numeric", edges=(0.5,), counts=(1, 1, 0))
    baseline = Baseline(rows=2, features=dict.fromkeys(("country", "amount", "at", "gone"), one), prediction={})
    rows = ROWS.with_columns(pl.lit(0).alias("x.at"))
    assert watched(baseline, rows, frozenset({"at"})) == ["amount", "country"]
