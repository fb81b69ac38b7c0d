"""The doors of the protocols over real HTTP: packed bodies, bombs, raw tensors, and what is no HTTP at all."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from tests.serving.parts import CHAMPION, PREVIOUS, routing, row
from tests.serving.stage import PATIENCE_S, Stage, stage

ALONE: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None}
PREDICT = "/v1/services/shop/predict"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("protocols")) as made:
        made.release(CHAMPION)
        made.release(PREVIOUS)
        made.start()
        made.control.apply("first", routing(**ALONE))
        yield made


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_every_route_takes_a_packed_body(served: Stage, coding: str, pack: Any) -> None:
    body = pack(json.dumps(row()).encode())
    status, answer = served.ask("POST", PREDICT, body, **{"Content-Encoding": coding})
    assert (status, answer["predictions"][0]["score"]) == (200, 0.9)


def test_a_bomb_is_too_large(served: Stage) -> None:
    bomb = gzip.compress(bytes(1 << 28), 1)
    status, answer = served.ask("POST", PREDICT, bomb, **{"Content-Encoding": "gzip"})
    assert (status, set(answer)) == (413, {"error"})


@pytest.mark.parametrize(
    ("coding", "body", "status", "words"),
    [("br", b"{}", 415, "expected gzip or deflate"), ("gzip", b"{}", 400, "a whole gzip body")],
)
def test_what_cannot_be_unpacked_is_refused(served: Stage, coding: str, body: bytes, status: int, words: str) -> None:
    found, answer = served.ask("POST", PREDICT, body, **{"Content-Encoding": coding})
    assert found == status
    assert words in answer["error"]


def exchanged(served: Stage, sent: bytes, *, cut: bool = False) -> bytes:
    """Everything the gateway says to these bytes, to the end of the connection; `cut`: we close our side first."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE_S) as line:
        line.sendall(sent)
        if cut:
            line.shutdown(socket.SHUT_WR)
        found = b""
        while part := line.recv(65536):
            found += part
        return found


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST /v1/labels HTTP/1.1\r\nhost: x\r\ncontent-length: nine\r\n\r\n",
        b"POST /v1/labels HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        bytes(range(256)),
    ],
)
def test_what_is_no_http_gets_the_same_shape_of_error(served: Stage, sent: bytes) -> None:
    head, _, body = exchanged(served, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/json" in head
    assert set(json.loads(body)) == {"error"}


def test_half_a_body_is_no_request(served: Stage) -> None:
    before = served.log_counts()["received"]
    half = (
        b"POST " + PREDICT.encode() + b' HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{"card": "c", "amount": 1.0}'
    )
    assert exchanged(served, half, cut=True) == b""
    assert served.log_counts()["received"] == before


def test_an_upgrade_that_is_not_offered_is_plain_http(served: Stage) -> None:
    status, _ = served.ask(
        "GET", "/livez", None, Connection="Upgrade", Upgrade="websocket", **{"Sec-WebSocket-Key": "x"}
    )
    assert status == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/v2/models/stats", None, 405, "use GET"),
        ("GET", "/v2/models/shop/versions/ffff/stats", None, 404, "no one version"),
        ("POST", "/v2/repository/index", b"{", 400, "JSON"),
        ("GET", "/v2/repository/index", None, 405, "use POST"),
        ("POST", "/v2/repository/models/nobody/load", None, 404, "no model"),
        ("POST", "/v2/repository/models/shop/unload", None, 501, "controller"),
        ("GET", "/v2/models/shop/generate", None, 404, "no route"),
        ("POST", PREDICT, b'{"card": "c", "amount": 1, "more": ' + b"[" * 100_000, 400, "a few levels deep"),
        ("POST", PREDICT, b"[" * 100_000, 400, "a few levels deep"),
    ],
)
def test_every_refusal_is_told_in_one_shape(
    served: Stage, method: str, path: str, body: bytes | None, status: int, words: str
) -> None:
    found, answer = served.ask(method, path, body)
    assert (found, set(answer)) == (status, {"error"})
    assert words in answer["error"]


def test_the_interface_describes_itself(served: Stage) -> None:
    status, document = served.ask("GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    assert "card" in document["components"]["schemas"]["shop.row"]["properties"]


def test_the_index_tells_what_is_loaded(served: Stage) -> None:
    expected = [{"name": "shop", "version": name, "state": "READY"} for name in ("aa01", "cc03")]
    for body in (None, b'{"ready": true}', b'{"ready": false}'):
        assert served.ask("POST", "/v2/repository/index", body) == (200, expected)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/invocations", {"dataframe_split": {"columns": ["card", "amount"], "data": [["c", 1.0], ["d", 2.0]]}}),
        ("/v1/services/shop/invocations", {"dataframe_records": [row(), row(card="d")]}),
        ("/v1/models/shop:predict", {"instances": [["c", 1.0, 3], ["d", 2.0, None]]}),
    ],
)
def test_other_servers_forms_are_answered_as_a_whole(served: Stage, path: str, body: object) -> None:
    status, answer = served.ask("POST", path, body)
    assert (status, answer["predictions"], len(answer["prediction_ids"])) == (200, [1, 1], 2)
    bad = json.loads(json.dumps(body).replace("1.0", '"x"').replace("10.0", '"x"'))
    status, answer = served.ask("POST", path, bad)
    assert (status, set(answer)) == (400, {"error"})
    assert answer["error"].startswith("row 0: amount: expected a number, found 'x'")


def test_labels_find_what_was_answered_in_another_form(served: Stage) -> None:
    _, answer = served.ask("POST", "/v1/models/shop:predict", {"instances": [row()]})
    labels = {"labels": [{"id": answer["prediction_ids"][0], "label": 1}]}
    assert served.ask("POST", "/v1/labels", labels)[1]["accepted"] == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/invocations", 405, "use POST"),
        ("POST", "/v1/services/nobody/invocations", 404, "no model nobody"),
        ("POST", "/v1/models/nobody:predict", 404, "no model nobody"),
        ("GET", "/v1/models/nobody", 404, "no model nobody"),
        ("POST", "/v1/models/shop", 405, "use GET"),
        ("POST", "/v1/models/shop:explain", 405, "use GET"),
        ("POST", "/v1/models", 405, "use GET"),
        ("GET", "/v1/models/shop/x", 404, "no route"),
    ],
)
def test_the_forms_refuse_in_one_shape(served: Stage, method: str, path: str, status: int, words: str) -> None:
    found, answer = served.ask(method, path, {"instances": [row()]} if method == "POST" else None)
    assert (found, set(answer)) == (status, {"error"})
    assert words in answer["error"]


def test_models_are_listed_and_ready(served: Stage) -> None:
    assert served.ask("GET", "/v1/models") == (200, {"models": ["shop"]})
    assert served.ask("GET", "/") == (200, {"status": "alive"})
    assert served.ask("GET", "/ping") == (200, {"ready": True})
    assert served.ask("GET", "/v1/models/shop") == (200, {"name": "shop", "ready": True})
    status, answer = served.ask("POST", "/invocations", b"a,b", **{"Content-Type": "text/csv"})
    assert (status, set(answer)) == (415, {"error"})


def test_without_a_name_there_has_to_be_one_service(tmp_path: Any) -> None:
    with stage(tmp_path) as made:
        made.service("till")
        made.release(CHAMPION)
        made.start()
        status, answer = made.ask("POST", "/invocations", {"instances": [row()]})
        assert status == 404
        assert "shop, till: use /v1/services/{service}/invocations" in answer["error"]


def test_a_value_outside_the_contract_in_a_pinned_version_is_a_400(served: Stage) -> None:
    tensors = [
        {"name": "card", "shape": [1], "datatype": "BYTES", "data": ["c"]},
        {"name": "amount", "shape": [1], "datatype": "FP64", "data": [-1.0]},
    ]
    status, answer = served.ask("POST", "/v2/models/shop/versions/cc03/infer", {"inputs": tensors})
    assert (status, answer["error"]) == (400, "row 0: amount: expected at least 0 and at most 1000, found -1.0")
