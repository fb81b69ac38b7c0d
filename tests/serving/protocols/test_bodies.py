"""What a stranger may send, and the words he gets back when it is something else."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CHAMPION, PREVIOUS, Told, gateway, routing, row, service

from flyball.core.errors import BadInput
from flyball.core.prediction import Failure
from flyball.serving.identity import PredictionIds, service_of
from flyball.serving.protocols.bodies import line
from flyball.serving.protocols.plain import labels_of, predictions_body, rows_of
from flyball.serving.redact import hashed, redactor

CELLS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
ROWS = st.lists(st.dictionaries(st.text(min_size=1).filter(lambda name: name != "rows"), CELLS), min_size=1, max_size=5)


@given(ROWS)
def test_rows_come_out_as_they_went_in_and_one_may_come_bare(rows: list[dict[str, object]]) -> None:
    assert rows_of(msgspec.json.encode({"rows": rows}), "predict", max_rows=5) == rows
    assert rows_of(msgspec.json.encode(rows[0]), "predict", max_rows=5) == rows[:1]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON"),
        (b"[1]", '{"rows": [{...}]} or one row'),
        (b'{"rows": []}', "at least one row"),
        (
            b'{"rows": [1, {}, "x"]}',
            "rows[0]: expected an object, found a number; rows[2]: expected an object, found a str",
        ),
        (b'{"rows": [{}, {}, {}]}', "at most 2 rows"),
        (b'{"rows": [{}], "model": "x"}', "only `rows`"),
        (b'{"amount": NaN}', "JSON"),
        (b"\xff\xfe", "JSON"),
    ],
)
def test_a_faulty_body_is_answered_with_every_fault_at_once(body: bytes, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        rows_of(body, "predict", max_rows=2)
    assert words in line(caught.value)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"labels": [{"id": 1, "label": 1}]}', b'{"labels": [{"id": "x", "label": 1, "at": "noon"}]}']
)
def test_faulty_labels_are_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        labels_of(body, "labels", now=0.0)


def test_the_time_of_a_label_may_be_seconds_or_text_or_now() -> None:
    body = (
        b'{"labels": [{"id": "a", "label": true, "at": 5}, {"id": "b", "label": "x", "at": "1970-01-01T00:00:07Z"},'
        b' {"id": "c", "label": 1.5}]}'
    )
    assert [label.at for label in labels_of(body, "labels", now=9.0)] == [5.0, 7.0, 9.0]


@given(st.binary(min_size=1, max_size=16), st.text())
def test_an_id_that_was_not_issued_here_is_known_by_its_tag(secret: bytes, text: str) -> None:
    (issued,) = PredictionIds("shop", secret, b"boot").issue([1e9])
    changed = issued[:-1] + ("0" if issued[-1] != "0" else "1")
    assert service_of(issued, secret) == "shop"
    assert service_of(changed, secret) is None
    assert service_of(text, secret) is None
    assert service_of(issued.replace("shop", "shed"), secret) is None


def test_personal_values_leave_only_their_keyed_hash() -> None:
    redact = redactor(("card", "amount"), frozenset({"card"}), b"key")
    written = redact({"card": "4929-1", "amount": 3.0, "note": "not in the contract"})
    assert written == {"card": hashed("4929-1", b"key"), "amount": 3.0}
    assert "4929" not in str(written)
    assert redact({"card": None}) == {"card": None}


def test_an_answer_has_the_promised_keys_and_an_error_takes_the_place_of_a_row() -> None:
    core = gateway()
    core.route(routing())
    rows = [row(), row(amount="x")]
    batch, asks = core.begin(rows, request_id="r", at=[1.0, 1.0])
    core.take(batch, asks[0], Told(CHAMPION).predict(asks[0].rows))
    status, body = predictions_body(batch, core.finish(batch, ended=0.002))
    answer = msgspec.json.decode(body)
    assert status == 200
    assert set(answer) == {"service", "predictions"}
    first, second = answer["predictions"]
    assert set(first) == {"id", "prediction", "score", "release", "arm", "fallback", "latency_ms"}
    assert (first["prediction"], first["arm"], first["fallback"]) == (1, "champion", None)
    assert second["error"] == "amount: expected a number, found 'x'"


@pytest.mark.parametrize(
    ("rows", "reason", "shed", "status"),
    [
        ([row(amount="x")] * 2, None, False, 400),
        ([row(amount=-1.0)], None, False, 400),
        ([row()], "exception", False, 500),
        ([row()], "deadline", False, 504),
        ([row()], None, True, 503),
        ([row(), row(amount="x")], "deadline", False, 504),
    ],
)
def test_the_status_says_why_nobody_was_answered(
    rows: list[dict[str, object]], reason: str | None, shed: bool, status: int
) -> None:
    core = gateway(service(fallback=()))
    core.route(routing())
    batch, asks = core.begin(rows, request_id="r", at=[1.0] * len(rows), shed=shed)
    for ask in asks:
        core.take(batch, ask, msgspec.convert({"reason": reason}, Failure))
    found, body = predictions_body(batch, core.finish(batch, ended=0.0))
    assert found == status
    assert msgspec.json.decode(body)["error"]


def test_a_fallback_answer_says_so() -> None:
    core = gateway()
    core.route(routing())
    batch, asks = core.begin([row(items=13)], request_id="r", at=[1.0])
    core.take(batch, asks[0], Told(CHAMPION).predict(asks[0].rows))
    (ask,) = core.stand_ins(batch)
    core.take(batch, ask, Told(PREVIOUS, failing=False).predict(ask.rows))
    _, body = predictions_body(batch, core.finish(batch, ended=0.0))
    (answer,) = msgspec.json.decode(body)["predictions"]
    assert (answer["fallback"], answer["release"]) == ("previous", CHAMPION)
