"""Availability, volume, freshness, types, repeated rows, ranges, labels: each is told, and its honest neighbour not."""

import math

import numpy as np
import polars as pl
import pytest

from flyball.core.release import Reference
from flyball.monitor.quality.labels import LabelRatio, label_ratio
from flyball.monitor.quality.rows import RowSigns, duplicated, out_of_range
from flyball.monitor.quality.signs import availability, freshness, volume
from flyball.monitor.quality.types import type_changed, unreadable

NUMERIC = Reference(kind="numeric", edges=(-1.0, 0.0, 1.0), counts=(25, 25, 25, 25, 0))
WORDS = Reference(kind="category", values=("a", "b"), counts=(60, 40, 0, 0))
LIMITS = {"max_duplicates": 0.10, "max_out_of_range": 0.01}


def test_availability_under_99_percent_is_told_and_chance_is_not() -> None:
    assert availability("f", 980, 1000, before=(5000, 5000), limit=0.99) is not None
    assert availability("f", 991, 1000, before=(5000, 5000), limit=0.99) is None
    assert availability("f", 931, 1000, before=(4750, 5000), limit=0.99) is None  # 0.98, as chance may have it
    assert availability("f", 9, 10, before=(5000, 5000), limit=0.99) is None
    assert availability("f", 0, 1000, before=(0, 5000), limit=0.99) is None  # it never came


def test_a_window_with_a_tenth_of_the_rows_is_told() -> None:
    usual = [1000, 1100, 950, 1020, 990, 1005, 970, 1040]
    few, many = volume(90, usual, factor=3), volume(9000, usual, factor=3)
    assert few is not None
    assert many is not None
    assert few.limit < 1000 < many.limit
    assert few.kind == many.kind == "volume"
    assert volume(90, usual[:7], factor=3) is None
    assert volume(1, [2, 9, 1, 14, 3, 6, 11, 2], factor=3) is None  # so few that they spread that far


def test_old_absent_and_future_events() -> None:
    assert freshness(100.0, 160.0, max_age_s=60.0) is None
    for newest, kind in ((0.0, "stale"), (None, "stale"), (math.nan, "stale"), (400.0, "from_the_future")):
        found = freshness(newest, 161.0, max_age_s=60.0)
        assert found is not None
        assert found.kind == kind
    assert freshness(200.0, 161.0, max_age_s=60.0) is None  # within the skew of clocks


@pytest.mark.parametrize(
    ("column", "reference", "wrong"),
    [
        (pl.Series(["1", "2.5", "x", None]), NUMERIC, 1),
        (pl.Series([1.0, math.nan, math.inf]), NUMERIC, 0),
        (pl.Series([None, None], dtype=pl.Null), NUMERIC, 0),
        (pl.Series([True, False]), NUMERIC, 0),
        (pl.Series([3, 4]), WORDS, 2),
        (pl.Series(["a", "new", None]), WORDS, 0),
        (pl.Series([], dtype=pl.String), NUMERIC, 0),
    ],
)
def test_values_of_another_type_are_counted(column: pl.Series, reference: Reference, wrong: int) -> None:
    assert unreadable(column, reference) == wrong


def test_a_change_of_type_is_a_finding() -> None:
    found = type_changed("f", 30, 1000, limit=0.01)
    assert found is not None
    assert found.kind == "type_changed"
    assert type_changed("f", 10, 1000, limit=0.01) is None
    assert type_changed("f", 0, 0, limit=0.01) is None


def test_a_batch_that_is_sent_twice() -> None:
    signs, rng = RowSigns(), np.random.default_rng(1)
    for _ in range(3):
        signs.take(pl.DataFrame({"x": rng.normal(size=1000)}))
        assert signs.close({}, {}, **LIMITS) == ()
    batch = pl.DataFrame({"x": rng.normal(size=500)})
    signs.take(batch)
    signs.take(batch)
    assert [finding.kind for finding in signs.close({}, {}, **LIMITS)] == ["duplicates"]


def test_discrete_rows_repeat_by_nature() -> None:
    signs, rng = RowSigns(), np.random.default_rng(2)
    for _ in range(6):
        signs.take(pl.DataFrame({"x": rng.integers(0, 400, size=1000)}))
        assert signs.close({}, {}, **LIMITS) == ()


def test_values_beyond_any_range_against_tails_that_reach_far() -> None:
    signs, rng, found = RowSigns(), np.random.default_rng(3), []
    for window in range(6):
        tails, few = rng.standard_cauchy(1000), rng.normal(size=1000)
        few[: 30 * (window == 5)] = 5503.0
        columns = {"tails": tails, "few": few}
        found = list(signs.close(columns, dict.fromkeys(columns, NUMERIC), **LIMITS))
        assert window == 5 or not found
    assert [(finding.kind, finding.feature) for finding in found] == [("out_of_range", "few")]


def test_peaks_within_the_range_of_the_baseline_are_no_finding() -> None:
    """Prices of one peak in fifty, a hundred times the rest: five widths of the deciles beyond them, and in range."""
    signs, rng = RowSigns(), np.random.default_rng(5)
    known = Reference(kind="numeric", edges=NUMERIC.edges, counts=NUMERIC.counts, fine=(-4.0, *NUMERIC.edges, 900.0))
    for window in range(6):
        price = rng.normal(size=1000)
        price[: 20 * (window == 5)] = 100.0
        found = signs.close({"price": price}, {"price": known}, **LIMITS)
        assert found == ()
    price[:20] = 6000.0
    assert [finding.kind for finding in signs.close({"price": price}, {"price": known}, **LIMITS)] == ["out_of_range"]


def test_nothing_is_usual_before_some_windows() -> None:
    assert duplicated(0.9, [0.0, 0.0], limit=0.1) is None
    assert out_of_range("f", 0.9, [], limit=0.01) is None


def test_a_spike_of_one_class_among_the_labels() -> None:
    labels, rng = LabelRatio(), np.random.default_rng(4)
    for _ in range(5):
        labels.take((rng.random(500) < 0.1).tolist())
        assert labels.close(limit=0.15) is None
    labels.take([True] * 200 + [False] * 200)
    found = labels.close(limit=0.15)
    assert found is not None
    assert "50.0% of the labels are True" in found.detail
    labels.take([True] * 40 + [False] * 360)
    assert labels.close(limit=0.15) is None  # a spike is no part of what is usual


def test_labels_that_are_no_classes_say_nothing() -> None:
    assert label_ratio({}, {}, limit=0.15) is None
    assert label_ratio({1: 50}, {1: 500}, limit=0.15) is None
    assert label_ratio(dict.fromkeys(range(100), 1), dict.fromkeys(range(50, 150), 1), limit=0.15) is None
