"""Requests that are turned away before they are read: over real connections, told in full, counted to the row."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from benchmarks._open_loop import request
from benchmarks.refusals import DECLARED, filled
from tests.serving.parts import CHAMPION, routing, row
from tests.serving.safe import ALONE, GATEWAY, Safe, talk
from tests.serving.stage import PATIENCE_S, Stage, stage, until

from flyball.adapters.prediction_log.files import sealed

PATH = "/v1/services/shop/predict"
HEAD = b"POST /v1/services/shop/predict HTTP/1.1\r\nhost: x\r\n"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway that turns everybody away, and has done so once."""
    with stage(tmp_path_factory.mktemp("full"), loader="benchmarks.refusals:load", declared=DECLARED) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE))
        with filled(made):
            assert made.ask("POST", PATH, row())[0] == 503
            yield made


def connection(made: Stage) -> socket.socket:
    return socket.create_connection(("127.0.0.1", made.port), timeout=PATIENCE_S)


def told(answer: bytes) -> tuple[int, bytes, Any]:
    """Status, head and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.lower(), json.loads(body)


def received(made: Stage) -> int:
    return made.log_counts()["received"]


def test_a_refusal_says_when_to_come_back_and_which_row_it_was(full: Stage) -> None:
    with connection(full) as wire:
        status, head, body = told(talk(wire, request(row())))
    assert status == 503
    assert re.search(rb"\r\nretry-after: \d+\r\n", head)
    assert b"\r\ndate: " in head
    assert b"\r\ncontent-type: application/json\r\n" in head
    assert body["error"] == body["predictions"][0]["error"] == "overloaded: try again later"
    assert body["predictions"][0]["id"].startswith("shop.")


def test_a_connection_is_refused_again_and_again_and_answered_in_between(full: Stage) -> None:
    with connection(full) as wire:
        for _ in range(5):
            assert told(talk(wire, request(row())))[0] == 503
            assert told(talk(wire, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"))[0] == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request(row()), 503),
        (HEAD + b"content-length: 3\r\n\r\n{x}", 400),  # counted by nobody: it holds no row
        (HEAD + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}", 100),
        (HEAD + b"x-flyball-priority: low\r\ncontent-length: 2\r\n\r\n{}", 400),  # the long way: no row of the contract
        (HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}", 503),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 503),
        (HEAD.replace(b"1.1", b"1.0") + b"content-length: 2\r\n\r\n{}", 503),
        (HEAD.replace(b"POST", b"PUT") + b"content-length: 2\r\n\r\n{}", 405),
    ],
)
def test_each_kind_of_request_hears_what_it_would_hear_of_a_slow_refusal(full: Stage, data: bytes, status: int) -> None:
    with connection(full) as wire:
        assert int(talk(wire, data).split()[1]) == status


def test_a_body_that_comes_in_parts_is_waited_for(full: Stage) -> None:
    data = request(row())
    with connection(full) as wire:
        wire.sendall(data[:-5])
        with connection(full) as other:
            assert told(talk(other, data))[0] == 503  # by now the first part has been read
        assert told(talk(wire, data[-5:]))[0] == 503


def test_requests_behind_one_another_are_answered_in_their_order(full: Stage) -> None:
    live = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
    with connection(full) as wire:
        wire.sendall(request(row()) + live + request(row()) + request(row()) + live)
        got = b""
        while len(found := re.findall(rb"HTTP/1\.1 (\d+)", got)) < 5 or not got.endswith(b"true}"):
            got += wire.recv(65_536)
    assert found == [b"503", b"200", b"503", b"503", b"200"]


def test_every_row_that_was_refused_is_one_row_of_the_log(full: Stage) -> None:
    before = received(full)
    ids = []
    with connection(full) as wire:
        for rows in (1, 3, 2):
            _, _, body = told(talk(wire, request({"rows": [row()] * rows} if rows > 1 else row())))
            ids += [each["id"] for each in body["predictions"]]
    assert len(set(ids)) == received(full) - before == 6
    until(lambda: _shed(full, ids).height == 6, "the pane is sealed")
    found = _shed(full, ids)
    assert set(found["outcome"]) == {"shed"}
    assert set(found["reason"]) == {"overload"}
    assert set(found["release"]) == {CHAMPION}
    assert found["arm"].null_count() == found["x.amount"].null_count() == 6
    _, metrics = full.ask("GET", "/metrics")
    (line,) = [line for line in metrics.splitlines() if 'arm="none",outcome="shed"' in line]
    assert float(line.rpartition(" ")[2]) >= 6


def test_whoever_may_not_ask_is_not_told_that_it_is_full(tmp_path: Path) -> None:
    with stage(tmp_path, loader="benchmarks.refusals:load", declared=DECLARED) as made:
        gate = Safe(made, tmp_path)
        text = gate.add("shop", "shop:predict", "*:metrics")
        gate.write_jwks(gate.key)
        (tmp_path / "gateway.yaml").write_text(GATEWAY.replace("burst: 5", "burst: 500"))
        made.release(CHAMPION)
        made.gateway = tmp_path / "gateway.yaml"
        made.start()
        made.control.apply("first", routing(**ALONE))
        key = {"Authorization": f"Bearer {text}"}
        with filled(made, key):
            assert made.ask("POST", PATH, row(), **key)[0] == 503
            before = _rows(made, key)
            assert [made.ask("POST", PATH, row())[0] for _ in range(3)] == [401] * 3
            assert [made.ask("POST", PATH, row(), **key)[0] for _ in range(3)] == [503] * 3
            assert _rows(made, key) - before == 3


def _rows(made: Stage, key: dict[str, str]) -> int:
    _, text = made.ask("GET", "/metrics", **key)
    (line,) = [line for line in text.splitlines() if 'what="received"' in line]
    return int(float(line.rpartition(" ")[2]))


def _shed(made: Stage, ids: list[str]) -> pl.DataFrame:
    """Of sealed panes only: a draft has a half-written file of the same name, and was once read as a pane."""
    panes = [each.table("predictions") for each in sealed(made.home.telemetry("shop"))]
    rows = (
        pl.concat([pl.read_parquet(pane) for pane in panes], how="diagonal_relaxed")
        if panes
        else pl.DataFrame({"id": [""]})
    )
    return rows.filter(pl.col("id").is_in(ids))
