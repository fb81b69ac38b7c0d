"""A remote model as an estimator, against a real server that answers well, badly, and not at all."""

import json
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from flyball.adapters.oip_client import Metadata
from flyball.adapters.remote_model import RemoteModel
from flyball.core.errors import Unavailable

Answer = Callable[[dict[str, Any], Any], tuple[int, bytes]]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """`answer`: of the body and the headers, status and body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, sent = answer(json.loads(body), self.headers)
            self.send_response(status)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            with suppress(BrokenPipeError):  # a client that did not wait is gone
                self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Nothing: the test tells what it needs."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False  # kept connections wait for more
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def outputs(*tensors: dict[str, Any]) -> bytes:
    return json.dumps({"model_name": "m", "outputs": list(tensors)}).encode()


def halves(body: dict[str, Any], _: Any) -> tuple[int, bytes]:
    """P(second class) is x / 2."""
    (x,) = (tensor for tensor in body["inputs"] if tensor["name"] == "x")
    return 200, outputs({"name": "p", "datatype": "FP64", "shape": x["shape"], "data": [v / 2 for v in x["data"]]})


TABLE = pl.DataFrame({"x": [0.5, 1.5], "land": ["de", None], "n": [1, 2]})
INPUTS = {"x": "FP64", "land": "BYTES", "n": "INT32"}


def model(url: str, *, timeout_s: float = 60.0, **options: Any) -> RemoteModel:
    wanted: dict[str, Any] = {"inputs": INPUTS, "output": "p", "classes": [False, True]} | options
    return RemoteModel({"url": url, "model": "m", "timeout_s": timeout_s}, **wanted)


def test_two_classes_from_one_number_a_row_and_the_same_after_pickling() -> None:
    with answering(halves) as url:
        one = model(url)
        for each in (one, pickle.loads(pickle.dumps(one))):
            assert each.predict_proba(TABLE).tolist() == [[0.75, 0.25], [0.25, 0.75]]
            assert each.predict(TABLE).tolist() == [False, True]


def test_columns_go_out_by_their_datatypes_and_a_missing_value_as_null() -> None:
    seen: list[Any] = []

    def kept(body: dict[str, Any], headers: Any) -> tuple[int, bytes]:
        seen.append(body["inputs"])
        return halves(body, headers)

    with answering(kept) as url:
        model(url).predict(TABLE)
    assert [(t["name"], t["datatype"], t["shape"], t["data"]) for t in seen[0]] == [
        ("x", "FP64", [2, 1], [0.5, 1.5]),
        ("land", "BYTES", [2, 1], ["de", None]),
        ("n", "INT32", [2, 1], [1, 2]),
    ]


def test_one_matrix_several_classes_and_a_regression() -> None:
    def shares(body: dict[str, Any], _: Any) -> tuple[int, bytes]:
        (tensor,) = body["inputs"]
        assert tensor["shape"] == [2, 2]
        assert tensor["data"] == [1.0, None, 3.0, 4.0]
        return 200, outputs({"name": "p", "datatype": "FP32", "shape": [2, 3], "data": [0.2, 0.7, 0.1, 1, 0, 0]})

    table = pl.DataFrame({"a": [1.0, float("nan")], "b": [3.0, 4.0]}).transpose()
    with answering(shares) as url:
        many = model(url, inputs={"input-0": "FP32"}, matrix=True, classes=["r", "s", "t"])
        assert many.predict(table).tolist() == ["s", "r"]
    with answering(halves) as url:
        assert model(url, classes=()).predict(TABLE).tolist() == [0.25, 0.75]
        assert np.shape(model(url).predict_proba(TABLE.clear())) == (0, 2)


def test_columns_that_the_answer_names_are_put_into_the_order_of_the_classes() -> None:
    def named(classes: str) -> Answer:
        tensor = {"name": "p", "datatype": "FP64", "shape": [2, 2], "data": [0.9, 0.1, 0.2, 0.8]}
        return lambda *_: (200, outputs(tensor | {"parameters": {"classes": classes}}))

    with answering(named("10,2")) as url:  # sorted as text, as a gateway of ours names them
        assert model(url, classes=[2, 10]).predict_proba(TABLE).tolist() == [[0.1, 0.9], [0.8, 0.2]]
        assert model(url, classes=[2, 10]).predict(TABLE).tolist() == [10, 2]
    with answering(named("10,3")) as url, pytest.raises(ValueError, match="expected the classes 2, 10"):
        model(url, classes=[2, 10]).predict(TABLE)


def test_of_an_answer_that_does_not_end_only_so_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flyball.adapters.oip_client.MOST_BYTES", 1000)
    with answering(lambda *_: (200, b" " * 100_000)) as url, pytest.raises(Unavailable, match="at most 1000 bytes"):
        model(url).predict(TABLE)


@pytest.mark.parametrize(
    ("status", "sent", "told"),
    [
        (503, b'{"error": "busy"}', "status 503: .*busy"),
        (302, b"", "status 302"),
        (200, b"<html>", "not an answer of the Open Inference Protocol"),
        (200, b'{"outputs": 3}', "not an answer of the Open Inference Protocol"),
    ],
)
def test_what_is_no_answer_is_unavailable(status: int, sent: bytes, told: str) -> None:
    with answering(lambda *_: (status, sent)) as url, pytest.raises(Unavailable, match=told):
        model(url).predict(TABLE)


def test_an_answer_of_another_shape_is_an_error_and_no_prediction() -> None:
    three = outputs({"name": "p", "datatype": "FP64", "shape": [3], "data": [0.1, 0.2, 0.3]})
    with answering(lambda *_: (200, three)) as url, pytest.raises(ValueError, match="expected 2 rows in 'p', found 3"):
        model(url).predict(TABLE)
    with answering(lambda *_: (200, outputs())) as url, pytest.raises(ValueError, match="output 'p', found none"):
        model(url).predict(TABLE)


def test_a_hung_and_a_dead_server_are_unavailable_within_the_bound() -> None:
    free = Event()

    def hangs(*_: Any) -> tuple[int, bytes]:
        free.wait(60)
        return 200, b""

    with answering(hangs) as url:
        with pytest.raises(Unavailable, match="Timeout"):
            model(url, timeout_s=0.5).predict(TABLE)
        free.set()
    with pytest.raises(Unavailable, match="Connection"):
        model(url).predict(TABLE)


def test_a_token_is_read_from_the_environment_and_is_not_in_the_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(body: dict[str, Any], headers: Any) -> tuple[int, bytes]:
        return halves(body, headers) if headers["authorization"] == "Bearer s3cret" else (401, b"")

    with answering(guarded) as url:
        one = RemoteModel(
            {"url": url, "model": "m", "timeout_s": 60.0, "token_env": "THEIR_TOKEN"},
            inputs=INPUTS,
            output="p",
            classes=[0, 1],
        )
        with pytest.raises(Unavailable, match="THEIR_TOKEN holds no token"):
            one.predict(TABLE)
        monkeypatch.setenv("THEIR_TOKEN", "s3cret")
        assert one.predict(TABLE).tolist() == [0, 1]
    assert b"s3cret" not in pickle.dumps(one)


def test_the_output_is_asked_for_by_name_and_an_answer_may_say_null_for_nothing() -> None:
    """MLServer gives probabilities only to who asks for them; KServe's server says null for parameters and versions."""

    def named(body: dict[str, Any], _: Any) -> tuple[int, bytes]:
        assert body["outputs"] == [{"name": "p"}]
        return 200, outputs({"name": "p", "datatype": "FP64", "shape": [2], "data": [0.1, 0.9], "parameters": None})

    with answering(named) as url:
        assert model(url).predict(TABLE).tolist() == [False, True]
    said = b'{"name": "m", "versions": null, "platform": "", "inputs": [], "outputs": []}'
    assert msgspec.json.decode(said, type=Metadata).versions is None
