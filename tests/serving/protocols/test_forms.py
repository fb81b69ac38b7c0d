"""Every form of a body is the same rows; what is none of them is named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CHAMPION, Told, gateway, routing, row

from flyball.core.errors import BadInput
from flyball.serving.protocols.bodies import line
from flyball.serving.protocols.forms import KSERVE, MLFLOW, answer_of, form_rows

COLUMNS = ["card", "amount", "items"]


def rows_in(document: object, forms: tuple[str, ...] = MLFLOW, columns: list[str] = COLUMNS) -> list[dict[str, Any]]:
    return form_rows(msgspec.json.encode(document), "predict", forms, columns, max_rows=5)


@given(st.lists(st.tuples(st.text(), st.floats(0, 9) | st.none(), st.integers(-9, 9)), min_size=1, max_size=5))
def test_every_form_is_the_same_rows(table: list[tuple[Any, ...]]) -> None:
    rows = [dict(zip(COLUMNS, cells, strict=True)) for cells in table]
    data = [list(cells) for cells in table]
    forms: list[dict[str, Any]] = [
        {"dataframe_split": {"columns": COLUMNS, "data": data, "index": [7] * len(data)}},
        {"dataframe_records": rows},
        {"inputs": {name: [cells[place] for cells in table] for place, name in enumerate(COLUMNS)}},
        {"inputs": rows},
        {"inputs": data},
        {"instances": rows, "signature_name": "serving_default"},
        {"instances": data, "params": {}},
    ]
    assert [rows_in(form) for form in forms] == [rows] * len(forms)


def test_a_model_with_one_column_takes_bare_values() -> None:
    assert rows_in({"instances": [1, 2.5, None]}, KSERVE, ["x"]) == [{"x": 1}, {"x": 2.5}, {"x": None}]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([1], "one of dataframe_split, dataframe_records, inputs, instances, found a list"),
        ({}, "found an empty object"),
        ({"rows": [{}]}, "found rows"),
        ({"inputs": [[1, 2, 3]], "instances": []}, "found inputs and instances"),
        ({"instances": 3}, "a list of rows, found a number"),
        ({"instances": []}, "1 to 5 rows, found 0"),
        ({"instances": [[1, 2, 3]] * 6}, "1 to 5 rows, found 6"),
        (
            {"instances": [[1, 2], 3, {"a": 1}]},
            "instances[0]: expected a list of 3 values (card, amount, items), found 2",
        ),
        ({"instances": [[1, 2], 3]}, "instances[1]: expected a list of 3 values"),
        ({"dataframe_records": [{}, 4, "x"]}, "dataframe_records[1]: expected an object, found a number; dataframe_re"),
        ({"dataframe_split": []}, '{"columns": [...], "data": [[...], ...]}'),
        ({"dataframe_split": {"columns": ["a", "a"], "data": 1}}, "different names"),
        ({"dataframe_split": {"columns": ["a"], "data": 1, "rows": 2}}, "dataframe_split.rows"),
        ({"inputs": {"card": 1}}, "inputs.card: expected a list of values"),
        ({"inputs": {"card": ["a"], "amount": []}}, "columns of one length, found card: 1, amount: 0"),
        ({"instances": [[1, 2, 3]], "params": {"n": 1}}, "the model takes none"),
    ],
)
def test_every_fault_is_named(document: object, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        rows_in(document)
    assert words in line(caught.value)


def test_nan_is_a_missing_value_because_mlflows_client_writes_it() -> None:
    body = b'{"inputs": {"card": ["NaN"], "amount": [NaN], "items": [3]}}'
    assert form_rows(body, "predict", MLFLOW, COLUMNS, max_rows=5) == [{"card": "NaN", "amount": None, "items": 3}]
    for bad in (b'{"inputs": [[NaN, Infinity, 1]]}', b'{"inputs": [[NaN, 1, "\\ud800"]]}', b"[" * 9999 + b"NaN"):
        with pytest.raises(BadInput):
            form_rows(bad, "predict", MLFLOW, COLUMNS, max_rows=5)


def test_kserve_has_no_tables() -> None:
    with pytest.raises(BadInput, match="an object with instances"):
        rows_in({"dataframe_records": [{}]}, KSERVE)


def test_the_answer_is_in_the_order_of_the_rows_with_ids_for_labels() -> None:
    core = gateway()
    core.route(routing(weight=0))
    batch, (ask,) = core.begin([row(), row(card="c2")], request_id="r", at=[1.0, 1.0])
    core.take(batch, ask, Told(CHAMPION).predict(ask.rows))
    answer = msgspec.json.decode(answer_of(batch, core.finish(batch, ended=0.0)))
    assert answer == {"predictions": [1, 1], "prediction_ids": batch.ids}
