"""Figures and warnings of a profile; the measures of association by their laws."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from flyball.contracts.draft.associations import cramers_v, pearson, ranks
from flyball.contracts.draft.profile import profile
from flyball.contracts.draft.profile_warnings import remarks

COLUMNS = arrays(np.float64, st.tuples(st.integers(3, 30), st.integers(2, 4)), elements=st.floats(-1e6, 1e6, width=32))
TEXTS = st.lists(st.sampled_from("abc"), min_size=3, max_size=60)


@given(COLUMNS)
def test_pearson_is_what_numpy_says_where_nothing_is_missing(columns: Any) -> None:
    spread = columns.std(axis=0)
    if (spread > 1e-3 * (1 + np.abs(columns).max(axis=0))).all():
        assert np.allclose(pearson(columns), np.corrcoef(columns, rowvar=False), atol=1e-6)


@given(COLUMNS, st.floats(0.5, 100), st.floats(-100, 100))
def test_ranks_do_not_change_under_an_increasing_map(columns: Any, scale: float, shift: float) -> None:
    rounded = columns.round(2)
    assert np.array_equal(ranks(rounded), ranks(np.exp(rounded / 1e6 * 3) if shift < 0 else rounded * scale))


def test_spearman_with_gaps_is_that_of_the_rows_in_common() -> None:
    generator = np.random.default_rng(3)
    x = generator.normal(size=400)
    columns: Any = np.column_stack([x, x + generator.normal(size=400)])
    assert pearson(ranks(columns))[0, 1] == pytest.approx(spearmanr(columns[:, 0], columns[:, 1]).statistic)
    columns[::5, 1] = np.nan
    kept = np.isfinite(columns).all(axis=1)
    assert pearson(columns)[0, 1] == pytest.approx(np.corrcoef(columns[kept].T)[0, 1])


@given(TEXTS, TEXTS)
def test_cramers_v_is_symmetric_and_a_share(first: list[str], second: list[str]) -> None:
    n = min(len(first), len(second))
    a, b = pl.Series(first[:n]), pl.Series(second[:n])
    value = cramers_v(a, b)
    assert value is None or 0 <= value <= 1
    other = cramers_v(b, a)
    assert (value is None) == (other is None)
    if value is not None and other is not None:
        assert value == pytest.approx(other, abs=1e-6)


def test_cramers_v_of_independent_columns_is_small_however_many_categories() -> None:
    generator = np.random.default_rng(5)
    a, b = (pl.Series(generator.integers(0, 40, 2000)) for _ in range(2))
    value = cramers_v(a, b)
    assert value is not None
    assert value < 0.05


def sample() -> pl.DataFrame:
    rows = 2000
    generator = np.random.default_rng(1)
    label = (np.arange(rows) % 25 == 0).astype(int)
    return pl.DataFrame(
        {
            "key": [f"k{i}" for i in range(rows)],
            "email": [f"p{i % 9}@example.org" for i in range(rows)],
            "x": generator.normal(size=rows),
            "tail": np.exp(3 * generator.normal(size=rows)),
            "same": ["a"] * rows,
            "gaps": [None] * (rows - 10) + [1.0] * 10,
            "mixed": ["1", "n/a"] * (rows // 2),
            "rare": ["a"] * (rows - 5) + ["b"] * 5,
            "leak": label * 5.0 + generator.normal(size=rows) * 0.1,
            "inf": [float("inf"), 1.0] * (rows // 2),
            "at": [datetime(2026, 1, 1) + timedelta(hours=i) for i in range(rows)],
            "y": label,
        }
    ).with_columns(twice=pl.col("x") * 2)


def test_every_warning_is_given_where_it_belongs_and_nowhere_else() -> None:
    table = sample()
    made = profile(table, name="t", personal={"email": "pii"})
    assert {(remark.kind, remark.column) for remark in remarks(made, table, label="y")} == {
        ("high cardinality", "key"),
        ("skew", "tail"),
        ("constant", "same"),
        ("constant", "gaps"),
        ("missing", "gaps"),
        ("mixed types", "mixed"),
        ("imbalance", "rare"),
        ("imbalance", "y"),
        ("leakage", "leak"),
        ("infinite", "inf"),
        ("alike", "x"),
    }
    twice = pl.concat([table, table.head(7)])
    told = remarks(profile(twice, name="t", personal={}), twice)
    assert told[0].text.startswith("7 rows")


def test_values_of_personal_columns_are_nowhere() -> None:
    column = profile(sample(), name="t", personal={"email": "pii"}).columns[1]
    assert (column.examples, column.bars, column.facts) == ((), (), ())
    assert column.distinct == 9


def test_bars_hold_every_value_that_is_present() -> None:
    table = sample()
    for column in profile(table, name="t", personal={}).columns:
        if column.bars:
            assert sum(bar.count for bar in column.bars) == table.height - column.missing - column.infinite
