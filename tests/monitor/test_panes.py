"""Counting: merging is addition, and what is left out stays out."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.monitor.streams import log

from flyball.core.release import Baseline, Reference
from flyball.core.watching import PaneGroup
from flyball.monitor.panes import LATENCY_EDGES_MS, count, merge

BASELINE = Baseline(
    rows=100,
    features={
        "amount": Reference(kind="numeric", edges=(10.0, 20.0), counts=(30, 40, 30, 0)),
        "kind": Reference(kind="category", values=("a", "b"), counts=(50, 50, 0, 0)),
    },
    prediction={"prediction": Reference(kind="category", values=("0", "1"), counts=(80, 20, 0, 0))},
)
EMPTY = PaneGroup(arm="champion", release="r1")
Row = tuple[float | None, str | None, int, str]

rows = st.lists(
    st.tuples(
        st.none() | st.floats(allow_nan=True, allow_infinity=True),
        st.none() | st.sampled_from(["a", "b", "z"]),
        st.integers(0, 1),
        st.sampled_from(["answered", "fallback", "failed", "quarantined", "shed"]),
    ),
    max_size=30,
)


def table(rows: list[Row]) -> pl.DataFrame:
    amounts, kinds, answers, outcomes = ([row[at] for row in rows] for at in range(4))
    return log(pl.Series("id", [f"p{at}" for at in range(len(rows))], dtype=pl.String)).with_columns(
        pl.Series("x.amount", amounts, dtype=pl.Float64),
        pl.Series("x.kind", kinds, dtype=pl.String),
        pl.Series("prediction", answers, dtype=pl.Int64),
        pl.Series("outcome", outcomes, dtype=pl.String),
    )


def counted(rows: list[Row]) -> PaneGroup:
    return count(table(rows), BASELINE, arm="champion", release="r1")


@given(rows, rows, rows)
def test_merging_is_addition_whatever_the_order(a: list[Row], b: list[Row], c: list[Row]) -> None:
    x, y, z = counted(a), counted(b), counted(c)
    assert merge(merge(x, y), z) == merge(x, merge(y, z))
    assert merge(x, y) == merge(y, x)
    assert merge(x, y) == counted([*a, *b])
    assert merge(x, EMPTY) == x


@given(rows)
def test_each_accepted_row_is_in_exactly_one_bin_of_each_feature(found: list[Row]) -> None:
    group = counted(found)
    accepted = sum(row[3] not in ("quarantined", "shed") for row in found)
    assert [sum(counts) for counts in group.features.values()] == [accepted, accepted]
    assert sum(group.prediction["prediction"]) == sum(row[3] == "answered" for row in found)
    assert sum(group.latency) == group.rows == len(found)


def test_missing_and_unseen_values_have_bins_of_their_own() -> None:
    group = counted([(None, "z", 0, "answered"), (float("nan"), None, 1, "answered"), (15.0, "b", 1, "answered")])
    assert group.features == {"amount": (0, 1, 0, 2), "kind": (0, 1, 1, 1)}


def test_testers_are_left_out_of_everything() -> None:
    found = table([(15.0, "a", 1, "answered"), (99.0, "a", 1, "failed")])
    testers = found.with_columns(pl.Series("excluded", [False, True]))
    group = count(testers, BASELINE, arm="champion", release="r1")
    assert group == counted([(15.0, "a", 1, "answered")])


def test_a_garbled_row_is_a_violation_and_no_drift() -> None:
    group = counted([(1e9, "z", 0, "quarantined")] * 3)
    assert (group.violations, sum(group.features["amount"])) == (3, 0)


def test_rows_that_break_the_contract_are_counted_by_the_rule_that_they_broke() -> None:
    found = table([(1e9, "z", 0, "quarantined"), (1e9, "z", 0, "rejected"), (None, "a", 0, "quarantined")] * 2)
    rules = ["range: amount", "range: amount", "missing: amount"] * 2
    group = count(found.with_columns(pl.Series("reason", rules)), BASELINE, arm="champion", release="r1")
    assert (group.violations, group.broken) == (6, {"range: amount": 4, "missing: amount": 2})
    assert merge(group, group).broken == {"range: amount": 8, "missing: amount": 4}


def test_the_reason_of_a_row_that_the_contract_accepted_is_no_rule() -> None:
    found = table([(15.0, "a", 1, "fallback")]).with_columns(pl.Series("reason", ["deadline"]))
    assert count(found, BASELINE, arm="champion", release="r1").broken == {}


def test_a_row_that_was_shed_unread_is_no_missing_value_and_no_drift() -> None:
    kept: list[Row] = [(15.0, "a", 1, "answered")] * 3
    shed: list[Row] = [(None, None, 0, "shed")] * 2
    assert counted([*kept, *shed]).features == counted(kept).features
    assert counted([*kept, *shed]).violations == 0
    assert counted([*kept, *shed]).rows == 5


def test_the_answer_of_a_fallback_is_not_the_releases() -> None:
    assert sum(counted([(15.0, "a", 1, "fallback")]).prediction["prediction"]) == 0


def test_times_and_keys_are_not_watched() -> None:
    group = count(table([(1.0, "a", 0, "answered")]), BASELINE, arm="champion", release="r1", without={"kind"})
    assert list(group.features) == ["amount"]


def test_latency_bins_cover_a_microsecond_and_a_minute() -> None:
    found = table([(1.0, "a", 0, "answered")] * 2).with_columns(pl.Series("latency_ms", [0.001, 60_000.0]))
    group = count(found, BASELINE, arm="champion", release="r1")
    assert group.latency[0] == 1
    assert group.latency[-1] == 0
    assert sum(group.latency) == 2
    assert LATENCY_EDGES_MS[0] <= 0.05


def test_other_arms_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="r2"):
        merge(EMPTY, replace(EMPTY, release="r2"))
