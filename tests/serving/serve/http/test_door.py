"""The door when our own code fails: the client learns that it did, the operator where, nobody what was in the row."""

import asyncio
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.serving.door import ask, opened

from flyball.adapters.clock import SystemClock
from flyball.core.prediction import PredictionRecord
from flyball.serving.serve.http.asgi import Door

SECRET_VALUE = "4929-1111-2222-3333"


class Broken(dict[str, Any]):
    """Services whose look-up fails as our own code might."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def get(self, *_: object) -> Any:
        raise self._error


class Gone(dict[str, Any]):
    """Services that are known by name and answer nobody."""

    def get(self, *_: object) -> Any:
        return None


async def nothing() -> None:
    """A door that is never opened."""


def asked(error: Exception) -> tuple[int, Any, list[str]]:
    said: list[str] = []
    status, answer = posted(door_of(Broken(error), said), "/v1/services/shop/predict")
    return status, answer, said


def door_of(services: dict[str, Any], said: list[str]) -> Door:
    return Door(
        services,
        SystemClock(),
        secret=b"",
        request_prefix="",
        start=nothing,
        stop=nothing,
        complain=said.append,
    )


def posted(door: Door, path: str) -> tuple[int, Any]:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b'{"card": "c"}', "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(door({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize("kind", [ValueError, KeyError, IndexError, RuntimeError])
def test_a_fault_of_ours_is_told_by_kind_and_place_and_not_by_its_words(kind: type[Exception]) -> None:
    status, answer, said = asked(kind(SECRET_VALUE))
    assert (status, answer) == (500, {"error": "internal error"})
    assert len(said) == 1
    assert kind.__name__ in said[0]
    assert "test_door.py" in said[0]
    assert SECRET_VALUE not in said[0]


def test_that_there_is_nothing_to_serve_by_is_no_fault() -> None:
    assert asked(LookupError("no release yet"))[:2] == (503, {"error": "no release yet"})


def test_a_path_that_clients_lengthen_is_not_remembered() -> None:
    door = door_of(Gone(shop=None), [])
    for slashes in range(20):
        for path in ("/v1/services/shop/predict" + "/" * slashes, "/" * slashes + "/v1/services/shop/predict"):
            assert posted(door, path)[0] == 404
    assert door._predicting == {"/v1/services/shop/predict": "shop"}


@pytest.mark.parametrize("form", ["header", "document"])
def test_the_name_of_a_request_is_the_unit_of_its_rows_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    async def story() -> None:
        seen: list[PredictionRecord] = []
        async with opened(tmp_path) as door:
            served = door._services["shop"]
            core = served.core
            core.service = msgspec.structs.replace(
                core.service, data=msgspec.structs.replace(core.service.data, key=None)
            )
            monkeypatch.setattr(served.capture, "offer", seen.extend)
            inputs = [
                {"name": "card", "datatype": "BYTES", "shape": [1], "data": ["c"]},
                {"name": "amount", "datatype": "FP64", "shape": [1], "data": [1.0]},
            ]
            name = "x" * 100_000
            body = {"inputs": inputs} | ({"id": name} if form == "document" else {})
            headers = {"X-Request-Id": name} if form == "header" else {}
            status, _, answer = await ask(door, "POST", "/v2/models/shop/infer", json.dumps(body).encode(), headers)
        assert status == 200
        assert [record.unit for record in seen] == ["x" * 200]
        assert json.loads(answer).get("id") == (name if form == "document" else None)

    asyncio.run(story())
