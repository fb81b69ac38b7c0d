"""Bodies that nobody would send, by the thousand: no crash, no status of ours, every refusal in words, memory flat."""

import asyncio
import gzip
import json
import random
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.serving.door import ask, opened
from tests.serving.parts import row
from tests.serving.protocols.test_oip_request import mixed, raw

SHOP = {"card": "c", "amount": 1.0, "items": 2}
TENSORS = {
    "id": "q",
    "inputs": [
        {"name": "card", "shape": [1], "datatype": "BYTES", "data": ["c"]},
        {"name": "amount", "shape": [1, 1], "datatype": "FP64", "data": [[1.0]]},
    ],
    "outputs": [{"name": "score", "parameters": {"binary_data": True}}],
    "parameters": {"binary_data_output": True},
}
SEEDS: list[tuple[str, Any]] = [
    ("/v1/services/shop/predict", {"rows": [SHOP, row(items=13)]}),
    ("/v1/services/shop/predict", SHOP),
    ("/v1/labels", {"labels": [{"id": "shop.0", "label": 1, "at": "2026-11-21T10:00:00Z"}, {"id": "x", "label": 0.5}]}),
    ("/v1/services/shop/invocations", {"dataframe_split": {"columns": list(SHOP), "data": [list(SHOP.values())]}}),
    ("/invocations", {"dataframe_records": [SHOP]}),
    ("/invocations", {"inputs": {name: [value] for name, value in SHOP.items()}, "params": {}}),
    ("/v1/models/shop:predict", {"instances": [list(SHOP.values())]}),
    ("/v2/models/shop/infer", TENSORS),
    ("/v2/models/shop/versions/cc03/infer", TENSORS),
    ("/v2/repository/index", {"ready": True}),
]
NASTY: list[Any] = [
    None, True, 0, -1, 2**63, 2**64, -(10**40), 1e308, -0.0, 5e-324, "", "\0", "é\U0001f600", "x" * 300, "NaN", [], {},
    [[]], [None], {"": {}}, ["a", 1, None], [1] * 400, {"rows": []}, "9999-12-31T23:59:59Z", "0001-01-01", 10**400,
]  # fmt: skip
PIECES = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"NaN",
    b"Infinity",
    b"1e999",
    b"\\ud800",
    b"[" * 2000,
    b"{}",
    b'"',
    b",",
    b"--",
]
SIZES = ["0", "-1", "1", "17", "99999999999999999999", "x", "1.5", "²", ""]
CODINGS = ["gzip", "deflate", "identity", "br", "gzip, gzip", "", "GZIP"]
PACKERS: list[Callable[[bytes], bytes]] = [gzip.compress, zlib.compress, bytes]
FINE = {200, 400, 404, 405, 413, 415, 501, 503, 504}


def replaced(dice: random.Random, value: Any) -> Any:
    """The document with one thing in it exchanged, left out, doubled or renamed."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        key = dice.choice(list(value))
        kept = dict(value)
        match dice.randrange(6):
            case 0:
                del kept[key]
            case 1:
                kept[dice.choice(["", "rows", "labels", "zz", "data", "raw", "params"])] = kept[key]
            case _:
                kept[key] = replaced(dice, value[key])
        return kept
    if isinstance(value, list) and value and dice.random() < 0.85:
        place = dice.randrange(len(value))
        middle = [] if dice.random() < 0.1 else [replaced(dice, value[place])] * dice.choice([1, 1, 1, 2, 30])
        return [*value[:place], *middle, *value[place + 1 :]]
    return dice.choice(NASTY)


def bent(dice: random.Random, body: bytes) -> bytes:
    """The bytes with a few of them changed, cut out or put in."""
    found = bytearray(body)
    for _ in range(dice.randrange(1, 4)):
        place = dice.randrange(len(found) + 1)
        match dice.randrange(4):
            case 0:
                found[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del found[place : place + dice.randrange(1, 9)]
            case 2:
                found[place:place] = dice.choice(PIECES)
            case _:
                del found[place:]
    return bytes(found)


def request(dice: random.Random) -> tuple[str, str, bytes, dict[str, str]]:
    """Method, path, body and headers of one attack."""
    path, seed = dice.choice(SEEDS)
    headers: dict[str, str] = {}
    if path.endswith("/infer") and dice.random() < 0.4:
        numbers = [dice.choice([1.0, float("nan"), float("inf"), -1.0])] * dice.choice([1, 1, 3])
        body, size = mixed(raw("card", "BYTES", ["c"] * len(numbers)), raw("amount", "FP64", numbers))
        headers["Inference-Header-Content-Length"] = size if dice.random() < 0.8 else dice.choice(SIZES)
    else:
        document = seed
        for _ in range(dice.randrange(4)):
            document = replaced(dice, document)
        body = json.dumps(document).encode()
        if dice.random() < 0.05:
            headers["Inference-Header-Content-Length"] = dice.choice(SIZES)
    if dice.random() < 0.5:
        body = bent(dice, body)
    if dice.random() < 0.15:
        pack = dice.choice(PACKERS)
        body, headers["Content-Encoding"] = pack(body), dice.choice(CODINGS)
        body = bent(dice, body) if dice.random() < 0.3 else body
    if dice.random() < 0.1:
        headers["Accept-Encoding"] = dice.choice(["gzip", "deflate;q=0.5", "*;q=x", ";;"])
    if dice.random() < 0.05:
        headers[dice.choice(["X-Request-Id", "X-Flyball-Priority", "X-Flyball-Probe"])] = dice.choice(
            ["", "low", "é" * 300]
        )
    method = "POST" if dice.random() < 0.97 else dice.choice(["GET", "PUT", "HEAD", "DELETE", "BREW"])
    if dice.random() < 0.03:
        path = dice.choice([path + "/", path.replace("shop", ""), path.replace("/", "//"), path[:-1], path + "é\0"])
    return method, path, body, headers


async def attacked(folder: Path, *, bodies: int, seed: int) -> tuple[Counter[int], list[int]]:
    """Answers by status, and the resident memory in bytes at each tenth of the way."""
    dice, statuses, memory = random.Random(seed), Counter[int](), list[int]()
    async with opened(folder) as door:
        for number in range(bodies):
            method, path, body, headers = request(dice)
            status, back, answer = await ask(door, method, path, body, headers)
            assert status in FINE, (status, method, path, body, headers, answer)
            if status != 200:
                assert back["content-type"] == "application/json"
                assert isinstance(json.loads(answer)["error"], str)
            statuses[status] += 1
            if number % (bodies // 10) == bodies // 10 - 1:
                memory.append(psutil.Process().memory_info().rss)
    return statuses, memory


def test_no_body_brings_it_down(tmp_path: Path) -> None:
    statuses, _ = asyncio.run(attacked(tmp_path, bodies=2_000, seed=1))
    assert {200, 400, 404, 405, 415} <= statuses.keys()
    assert not statuses.keys() & {503, 504}


@pytest.mark.slow
def test_a_hundred_thousand_bodies_bring_nothing_down_and_take_no_memory(tmp_path: Path) -> None:
    statuses, memory = asyncio.run(attacked(tmp_path, bodies=100_000, seed=2))
    assert sum(statuses.values()) == 100_000
    assert not statuses.keys() & {503, 504}
    # what the first fifth has warmed stays; 80,000 bodies later there are not 200 bytes more for each of them
    assert max(memory[2:]) - memory[1] < 16_000_000
