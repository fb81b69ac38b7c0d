"""Bodies that nobody would send, by the thousand and over a socket: parser, short way and long way hold together."""

import asyncio
import json
import random
from collections import Counter
from pathlib import Path

import psutil
import pytest
from tests.serving.door import opened
from tests.serving.parts import row
from tests.serving.stage import PATIENCE_S
from tests.serving.test_fuzz import FINE, SHOP, bent, replaced, request
from tests.serving.watched import Watched, listening, warm

PATH = "/v1/services/shop/predict"
CLIENTS = 4  # at once, so that rows are joined; fewer than any limit refuses


def attack(dice: random.Random) -> tuple[str, bytes]:
    """Method and bytes of one request: two of three are near a bare row, and ask for nothing."""
    method, path, headers = "POST", PATH, dict[str, str]()
    if dice.random() < 1 / 3:
        method, path, body, headers = request(dice)
    else:
        document = SHOP | {"items": dice.choice([2, 13])}
        for _ in range(dice.choice([0, 0, 1, 2])):
            document = replaced(dice, document)
        body = json.dumps(document).encode()
        body = bent(dice, body) if dice.random() < 0.3 else body
    told = {"Host": "x", "Content-Length": str(len(body))} | headers
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return method, head.encode("latin-1") + b"\r\n" + body


class Client:
    """One connection, made anew where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def told(self, method: str, pieces: list[bytes]) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = self._streams = self._streams or await asyncio.open_connection("127.0.0.1", self._port)
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            headers = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
            bodiless = method == "HEAD" and headers.get("connection") != "close"
            body = b"" if bodiless else await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.close()
        return int(head.split(" ", 2)[1]), headers, body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def attacked(folder: Path, *, bodies: int, seed: int) -> tuple[Counter[int], Counter[str], list[int]]:
    """Answers by status, requests by the way they went, and the resident memory in bytes at each tenth of the way."""
    statuses, memory = Counter[int](), list[int]()

    async def ask(server: Watched, number: int) -> None:
        dice, client = random.Random(seed * CLIENTS + number), Client(server.port)
        for _ in range(bodies // CLIENTS):
            method, text = attack(dice)
            cut = dice.randrange(1, len(text))
            status, headers, body = await client.told(
                method, [text] if dice.random() < 0.7 else [text[:cut], text[cut:]]
            )
            assert status in FINE, (text, status, body)
            if status != 200 and body:
                assert headers["content-type"] == "application/json"
                assert isinstance(json.loads(body)["error"], str)
            statuses[status] += 1
            if statuses.total() % (bodies // 10) == 0:
                memory.append(psutil.Process().memory_info().rss)
        client.close()

    async with opened(folder) as door, listening(door) as server:
        await warm(server, harmless())
        async with asyncio.TaskGroup() as clients:
            for number in range(CLIENTS):
                clients.create_task(ask(server, number))
    return statuses, server.ways, memory


def harmless() -> bytes:
    body = json.dumps(row()).encode()
    return f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def test_no_body_brings_it_down_over_a_socket(tmp_path: Path) -> None:
    statuses, ways, _ = asyncio.run(attacked(tmp_path, bodies=2_000, seed=1))
    assert {200, 400, 404, 405, 415} <= statuses.keys()
    assert not statuses.keys() & {503, 504}
    assert min(ways["short"], ways["long"]) > 500


@pytest.mark.slow
def test_a_hundred_thousand_bodies_over_a_socket_take_no_memory(tmp_path: Path) -> None:
    statuses, ways, memory = asyncio.run(attacked(tmp_path, bodies=100_000, seed=2))
    assert statuses.total() == 100_000
    assert not statuses.keys() & {503, 504}
    assert min(ways["short"], ways["long"]) > 25_000
    grown = max(memory[2:]) - memory[1]
    print(
        f"{dict(statuses)}, {dict(ways)}: {memory[1] / 1e6:.0f} MB after a fifth, {grown / 1e6:+.1f} MB until the end"
    )
    # what the first fifth has warmed stays; 80,000 bodies later there are not 200 bytes more for each of them
    assert grown < 16_000_000
