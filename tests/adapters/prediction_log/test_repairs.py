"""Repaired rows in the place of the ones that came: what changes in a pane, and what never does."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from flyball.adapters.prediction_log.repairs import Repair, RepairHeader, keep_repair, mended, repair_of, rows_bytes
from flyball.core.errors import Untrusted
from flyball.core.ports import Segment
from flyball.core.watching import Pane

ROWS = 20
EMPTY = pl.DataFrame()


def pane() -> Segment:
    """A row a second; some quarantined, some of a tester."""
    rows = pl.DataFrame(
        {
            "id": [f"p{at}" for at in range(ROWS)],
            "at": [float(at) for at in range(ROWS)],
            "arm": ["champion"] * ROWS,
            "outcome": ["quarantined" if at % 3 == 0 else "answered" for at in range(ROWS)],
            "fallback": [None] * ROWS,
            "reason": ["range" if at % 3 == 0 else None for at in range(ROWS)],
            "answered_by": [None if at % 3 == 0 else "sha256:a" for at in range(ROWS)],
            "excluded": [at == 7 for at in range(ROWS)],
            "prediction": [at % 2 for at in range(ROWS)],
            "x.amount": [at * 100 for at in range(ROWS)],
            "x.hour": list(range(ROWS)),
        },
        schema_overrides={"fallback": pl.String},
    )
    header = Pane(service="fraud", index=3, start=0.0, end=float(ROWS), received=ROWS, written=ROWS)
    return Segment(pane=header, predictions=rows, shadows=EMPTY, labels=EMPTY)


def repair(since: float, until: float, ids: list[int], *, amount: float = 1.5, name: str = "b1") -> Repair:
    told = {"id": [f"p{at}" for at in ids], "x.amount": [amount] * len(ids)}
    rows = pl.DataFrame(told, schema={"id": pl.String, "x.amount": pl.Float64})
    header = RepairHeader(backfill=f"sha256:{name}", since=since, until=until, output="sha256:o", rows=len(ids))
    return Repair(header=header, rows=rows)


SPANS = st.tuples(st.integers(-2, ROWS), st.integers(1, ROWS + 2), st.sets(st.integers(0, ROWS - 1)))


@given(SPANS)
def test_rows_of_the_span_are_repaired_or_left_out_and_no_other_changes(span: tuple[int, int, set[int]]) -> None:
    since, length, ids = span
    before = pane()
    after = mended(before, [repair(since, since + length, sorted(ids))])
    assert after.pane == before.pane  # what clients met, and how many rows came, is as it was
    for old, new in zip(before.predictions.iter_rows(named=True), after.predictions.iter_rows(named=True), strict=True):
        inside, number = since <= old["at"] < since + length, int(old["id"][1:])
        kept = ("id", "at", "arm", "prediction", "x.hour")
        assert [old[name] for name in kept] == [new[name] for name in kept]
        if inside and number in ids:
            assert (new["outcome"], new["fallback"], new["answered_by"]) == ("fallback", "backfill", None)
            assert new["excluded"] == old["excluded"]  # a tester's row stays out
        elif inside:
            assert new["excluded"]
            assert new["outcome"] == old["outcome"]
        else:
            assert new == old


@given(SPANS)
def test_mended_twice_is_mended_once(span: tuple[int, int, set[int]]) -> None:
    since, length, ids = span
    one = repair(since, since + length, sorted(ids))
    once = mended(pane(), [one]).predictions
    twice = mended(pane(), [one, one]).predictions
    assert_frame_equal(once, twice)


def test_a_later_repair_of_a_row_takes_the_place_of_an_earlier_one_in_the_columns_type() -> None:
    found = mended(pane(), [repair(0, 5, [1, 2]), repair(0, 5, [1], amount=9.0, name="b2")]).predictions
    assert found.schema == pane().predictions.schema
    assert found["x.amount"].to_list()[:3] == [0, 9, 1]


def test_a_repair_is_there_when_it_is_whole_and_written_twice_it_is_the_same(tmp_path: Path) -> None:
    one = repair(0, 5, [1])
    with pytest.raises(Untrusted):
        repair_of(tmp_path, one.header.backfill)
    for _ in range(2):
        keep_repair(tmp_path, one.header, rows_bytes(one.rows))
    found = repair_of(tmp_path, one.header.backfill)
    assert found.header == one.header
    assert_frame_equal(found.rows, one.rows)
