"""Turning records on their side loses nothing that a table has, whatever is put together with whatever."""

from typing import Any

import msgspec
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from flyball.core.log_columns import LogColumns, columns_of, joined
from flyball.core.log_tables import LogTables
from flyball.core.prediction import PredictionRecord

VALUES = st.none() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.booleans()
RECORDS: st.SearchStrategy[PredictionRecord] = st.builds(
    PredictionRecord,
    id=st.text(max_size=3),
    at=st.floats(0, 1e9),
    unit=st.sampled_from("ab"),
    arm=st.sampled_from(["champion", "candidate", None]),
    release=st.sampled_from(["r1", "r2"]),
    epoch=st.integers(0, 1),
    outcome=st.sampled_from(["answered", "rejected", "failed"]),
    error=st.booleans(),
    prediction=st.sampled_from([1, 1.0, True, None]),
    score=st.none() | st.floats(0, 1),
    scores=st.none() | st.dictionaries(st.sampled_from(["x", "y"]), st.floats(0, 1), min_size=1),
    features=st.dictionaries(st.sampled_from(["amount", "items", "other"]), VALUES)
    | st.fixed_dictionaries({"amount": VALUES, "items": VALUES}),
)
LISTS = st.lists(RECORDS, max_size=6)
TABLES = LogTables(features={"amount": pl.Float64(), "items": pl.Int64()}, answer=pl.Float64())
DECODER = msgspec.msgpack.Decoder(LogColumns)


def bare(record: PredictionRecord) -> dict[str, Any]:
    """What a table tells apart: a feature that is None and one that is not there are the same."""
    features = {name: (type(v), v) for name, v in record.features.items() if v is not None}
    return msgspec.structs.asdict(record) | {"features": features, "prediction": repr(record.prediction)}


@given(LISTS)
def test_what_was_turned_can_be_turned_back_also_from_the_disk(records: list[PredictionRecord]) -> None:
    turned = DECODER.decode(msgspec.msgpack.encode(columns_of(records)))
    assert turned.rows == len(records)
    assert list(map(bare, turned.records())) == list(map(bare, records))


@given(st.lists(LISTS, max_size=4))
def test_parts_put_together_are_the_table_of_all(parts: list[list[PredictionRecord]]) -> None:
    every = [record for part in parts for record in part]
    assert_frame_equal(TABLES.predictions(joined(map(columns_of, parts))), TABLES.predictions(every))


def test_a_value_that_all_rows_share_is_kept_once() -> None:
    one = PredictionRecord(id="a", at=1.0, unit="u", arm="champion", release="r", epoch=1, outcome="answered")
    turned = columns_of([one] * 100)
    assert turned.fields["release"] == ["r"]
    assert turned.field("release") == ["r"] * 100
    assert len(turned.fields["id"]) == 100


def test_equal_predictions_of_different_types_stay_apart() -> None:
    def told(prediction: Any) -> PredictionRecord:
        return PredictionRecord(
            id="a", at=1.0, unit="u", arm=None, release="r", epoch=1, outcome="answered", prediction=prediction
        )

    assert [type(v) for v in columns_of([told(1), told(True), told(1.0)]).field("prediction")] == [int, bool, float]


@given(LISTS)
def test_a_field_that_an_earlier_version_did_not_write_has_its_default(records: list[PredictionRecord]) -> None:
    told = columns_of(records)
    del told.fields["queue_ms"]
    read = DECODER.decode(msgspec.msgpack.encode(told))
    assert joined([read, told]).field("queue_ms") == [0.0] * (2 * len(records))
    assert [each.id for each in read.records()] == [each.id for each in records]
