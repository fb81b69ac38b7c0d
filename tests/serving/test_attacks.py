"""A table of attacks on a running gateway: what is sent, and what has to come of it.

`docs/how-to/secure-a-gateway.md` shows the same table to people; a test holds the two together. After all of them the
gateway answers as before, and neither a secret nor a value of a row stands in what the operator was told.
"""

import hmac
import json
import re
import socket
import ssl
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from tests.serving.parts import routing, row
from tests.serving.safe import ALONE, Safe, bearer, safe, talk
from tests.serving.stage import PATIENCE_S, until

from flyball.core.errors import Untrusted
from flyball.core.ids import Epoch

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "secure-a-gateway.md"
PREDICT = "/v1/services/shop/predict"
SECRET_VALUE = "4929-1111-2222-3333"

Attack = Callable[[Safe], object]
ATTACKS: dict[str, tuple[Attack, object]] = {}


def attack(name: str, expected: object) -> Callable[[Attack], Attack]:
    def keep(function: Attack) -> Attack:
        ATTACKS[name] = function, expected
        return function

    return keep


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Safe]:
    with safe(tmp_path_factory.mktemp("safe")) as one:
        yield one


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_fails(gate: Safe, name: str) -> None:
    run, expected = ATTACKS[name]
    assert run(gate) == expected
    assert predict(gate, gate.texts["shop"]) == 200


def predict(gate: Safe, text: str | None = None, path: str = PREDICT, **headers: str) -> int:
    sent = headers | (bearer(text) if text is not None else {})
    return gate.stage.ask("POST", path, row(), **sent)[0]


def flooded(gate: Safe, more: Callable[[int], bytes]) -> list[int]:
    """Statuses of requests with a forged token each, so many without a wait for an answer that no machine is too slow
    for more than are judged a second; until the first 429. `more`: a header of each, by its number."""
    forged, told, number = gate.token()[:-8].encode(), list[int](), 0
    with socket.create_connection(("127.0.0.1", gate.stage.port), timeout=PATIENCE_S) as wire:
        while 429 not in told and number < 10_000:
            batch = range(number, number := number + 500)
            wire.sendall(b"".join(post(b"authorization: Bearer %b%08d" % (forged, n), more(n)) for n in batch))
            got = b""
            while got.count(b"\r\n\r\n") < len(batch) and (part := wire.recv(65_536)):
                got += part
            told += map(int, re.findall(rb"HTTP/1\.1 (\d{3})", got))
    return told


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> bytes:
    parts = [json.dumps(part).encode() for part in (header, claims)]
    return b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)


CLAIMS = {"iss": "https://id.example", "aud": "flyball", "sub": "x", "exp": 9e9, "scope": "shop:predict *:admin"}


@attack("no credentials", 401)
def _(gate: Safe) -> object:
    return predict(gate)


@attack("a key that was guessed", 401)
def _(gate: Safe) -> object:
    return predict(gate, gate.texts["shop"][:-4] + "AAAA")


@attack("an expired key", 401)
def _(gate: Safe) -> object:
    return predict(gate, gate.texts["late"])


@attack("two credentials at once", 401)
def _(gate: Safe) -> object:
    return predict(gate, gate.texts["shop"], **{"X-API-Key": gate.texts["other"]})


@attack("a token with `alg: none`", [401, 401, 401])
def _(gate: Safe) -> object:
    body = unsigned({"alg": "none", "kid": "one"}, CLAIMS).decode()
    return [predict(gate, body + tail) for tail in (".", "", ".AA")]


@attack("key confusion: HMAC with the public key as its secret", [401, 401])
def _(gate: Safe) -> object:
    found = []
    for kid in ("rsa", "one"):
        signed = unsigned({"alg": "HS256", "kid": kid}, CLAIMS)
        signature = hmac.digest(gate.rsa.as_pem(private=False), signed, "sha256")
        found.append(predict(gate, (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()))
    return found


@attack("a token that brings its own key (`jwk`, `jku`)", 401)
def _(gate: Safe) -> object:
    mine = ECKey.generate_key("P-256", {"kid": "mine"})
    return predict(gate, gate.token(mine, header={"jwk": mine.as_dict(private=False)}))


@attack("an expired token", 401)
def _(gate: Safe) -> object:
    return predict(gate, gate.token(exp=1_000_000_000))


@attack("a token for another audience, of another issuer, or for later", [401, 401, 401])
def _(gate: Safe) -> object:
    wrong: list[dict[str, Any]] = [{"aud": "other"}, {"iss": "https://evil.example"}, {"nbf": 9e9}]
    return [predict(gate, gate.token(**changes)) for changes in wrong]


@attack("a token of a key that was rotated out", [200, 401, 200])
def _(gate: Safe) -> object:
    token, fresh = gate.token(), ECKey.generate_key("P-256", {"kid": "two"})
    before = predict(gate, token)
    gate.write_jwks(fresh, gate.rsa)
    until(lambda: predict(gate, token) == 401, "the old key is refused")
    after = predict(gate, token), predict(gate, gate.token(fresh))
    gate.write_jwks(gate.key, gate.rsa)
    until(lambda: predict(gate, token) == 200, "the key set is as before")
    return [before, *after]


@attack("a key that was dropped", [200, 401])
def _(gate: Safe) -> object:
    text = gate.add("dropped", "shop:predict")
    until(lambda: predict(gate, text) == 200, "the new key is taken")
    before = predict(gate, text)
    del gate.entries["dropped"]
    gate.write_keys()
    until(lambda: predict(gate, text) == 401, "the dropped key is refused")
    return [before, predict(gate, text)]


@attack("predictions, descriptions and versions of another service", [403, 403, 403, 403])
def _(gate: Safe) -> object:
    mine = bearer(gate.texts["shop"])
    found = [predict(gate, gate.texts["shop"], path="/v1/services/other/predict")]
    found += [gate.stage.ask("GET", path, **mine)[0] for path in ("/v2/models/other", "/v2/models/other/versions/aa")]
    return [*found, gate.stage.ask("POST", "/v2/models/other/infer", {"inputs": []}, **mine)[0]]


@attack("a label for another service's prediction", [403, 0])
def _(gate: Safe) -> object:
    _, answer = gate.stage.ask("POST", "/v1/services/other/predict", row(), **bearer(gate.texts["other"]))
    name = answer["predictions"][0]["id"]
    label = {"labels": [{"id": name, "label": 1}]}
    status, _ = gate.stage.ask("POST", "/v1/labels", label, **bearer(gate.texts["shop"]))
    _, counts = gate.stage.ask("POST", "/v1/labels", label, **bearer(gate.texts["other"]))
    return [status, counts["duplicate"]]


@attack("metrics with a key for predictions, predictions with a key for metrics", [403, 403, 200])
def _(gate: Safe) -> object:
    metrics = [gate.stage.ask("GET", "/metrics", **bearer(gate.texts[name]))[0] for name in ("shop", "watcher")]
    return [metrics[0], predict(gate, gate.texts["watcher"]), metrics[1]]


@attack("a header of testers, to stay out of every analysis", [403, 403, 200])
def _(gate: Safe) -> object:
    tester = gate.add("tester", "shop:predict", "shop:admin")
    until(lambda: predict(gate, tester) == 200, "the key is taken")
    found = [predict(gate, gate.texts["shop"], **{name: "1"}) for name in ("X-Flyball-Probe", "X-FLYBALL-ARM")]
    return [*found, predict(gate, tester, **{"X-Flyball-Probe": "1"})]


@attack("more requests than the key may send", [200, 200, 200, 200, 200, 429, 429])
def _(gate: Safe) -> object:
    return [predict(gate, gate.texts["hasty"]) for _ in range(7)]


@attack("tokens that nobody knows, by the hundred: to keep the gateway busy with signatures", [{401, 429}, 200])
def _(gate: Safe) -> object:
    return [set(flooded(gate, lambda _: b"x-nothing: 1")), predict(gate, gate.texts["shop"])]


@attack("another address in `X-Forwarded-For` each time, to have tokens judged without end", True)
def _(gate: Safe) -> object:
    told = flooded(gate, lambda number: f"x-forwarded-for: 10.1.{number // 256}.{number % 256}".encode())
    return 429 in told


@attack("a path that climbs: `..` in the names of services, models and versions", {403, 404})
def _(gate: Safe) -> object:
    paths = [
        "/v1/services/../other/predict",
        "/v1/services/%2e%2e%2fother/predict",
        "/v2/models/shop/../other/infer",
        "/v2/models/shop/versions/..%2f..%2f..%2fetc/infer",
        "/v2/models/..%2f..%2fkeys/infer",
    ]
    return {gate.stage.ask("POST", path, row(), **bearer(gate.texts["shop"]))[0] for path in paths}


@attack("a route that is not there, as a way around the guard", [401, 403, 401])
def _(gate: Safe) -> object:
    mine = bearer(gate.texts["shop"])
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "AA",
    }
    return [
        gate.stage.ask("GET", "/admin")[0],
        gate.stage.ask("GET", "/admin", **mine)[0],
        gate.stage.ask("GET", PREDICT, **upgrade)[0],
    ]


@attack("a line break in a header, to write a header or a log line of one's own", [b"400", False])
def _(gate: Safe) -> object:
    key = gate.texts["shop"].encode()
    forged = b"x-request-id: 1\rgateway: all is well"
    answer = gate.raw(post(b"authorization: Bearer " + key, forged, body=b'{"card": "c", "amount": 1}'))
    return [status(answer), "all is well" in gate.told()]


@attack("a line break in a path, to write a log line of one's own", False)
def _(gate: Safe) -> object:
    for path in ("/v1/services/shop%0agateway:%20forged/predict", "/v2/models/%0d%0agateway:%20forged"):
        gate.stage.ask("POST", path, row(), **bearer(gate.texts["shop"]))
    return any(line.startswith("gateway: forged") for line in gate.told().splitlines())


def post(*headers: bytes, body: bytes = b"", path: str = PREDICT) -> bytes:
    lines = [f"POST {path} HTTP/1.1".encode(), b"host: x", *headers, b"content-length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


def status(answer: bytes) -> bytes:
    return answer[9:12]


@attack("a body that is larger than allowed, declared or chunked", [413, b"413"])
def _(gate: Safe) -> object:
    mine = bearer(gate.texts["shop"])
    declared = gate.stage.ask("POST", PREDICT, b" " * 20_001, **mine)[0]
    head = post(b"authorization: Bearer " + gate.texts["shop"].encode()).replace(
        b"content-length: 0", b"transfer-encoding: chunked"
    )
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    return [declared, status(gate.raw(head + chunk * 6))]


@attack("a chunk that says it is endless", b"4")
def _(gate: Safe) -> object:
    head = post(b"authorization: Bearer " + gate.texts["shop"].encode()).replace(
        b"content-length: 0", b"transfer-encoding: chunked"
    )
    return status(gate.raw(head + b"f" * 17 + b"\r\n" + b" " * 30_000))[:1]


@attack("more and larger headers than allowed, whole and without an end", [b"431", b"431", b"431", b"431", b"431"])
def _(gate: Safe) -> object:
    begin = b"GET /livez HTTP/1.1\r\nhost: x\r\n"
    many = begin + b"".join(b"x-%d: 1\r\n" % n for n in range(50)) + b"\r\n"
    large = begin + b"x-large: " + b"a" * 9_000 + b"\r\n\r\n"
    endless = begin + b"x-endless: " + b"a" * 200_000
    address = b"GET /" + b"a" * 200_000
    trailing = post(b"authorization: Bearer " + gate.texts["shop"].encode()).replace(
        b"content-length: 0", b"transfer-encoding: chunked"
    )
    trailing += b"0\r\n" + b"x-trailing: 1\r\n" * 30_000
    return [status(gate.raw(data)) for data in (many, large, endless, address, trailing)]


@attack("two lengths, a length beside chunks, a length that is none: to smuggle a request", [b"400"] * 5)
def _(gate: Safe) -> object:
    inner = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n"
    heads = [
        b"content-length: 5\r\ncontent-length: 0",
        b"content-length: 0\r\ntransfer-encoding: chunked",
        b"transfer-encoding: chunked\r\ncontent-length: 6",
        b"content-length: +5",
        b"transfer-encoding: xchunked",
    ]
    begin = f"POST {PREDICT} HTTP/1.1\r\nhost: x\r\n".encode()
    answers = [gate.raw(begin + head + b"\r\n\r\n" + inner) for head in heads]
    assert all(answer.count(b"content-length") == 1 for answer in answers)
    return [status(answer) for answer in answers]


@attack("a client that says nothing, half a head, empty lines, or half a body, and waits", [b"408"] * 4)
def _(gate: Safe) -> object:
    half = post(b"authorization: Bearer " + gate.texts["shop"].encode(), body=b" " * 100)[:-50]
    empty = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"

    def twice() -> bytes:
        with socket.create_connection(("127.0.0.1", gate.stage.port), timeout=PATIENCE_S) as wire:
            talk(wire, empty)
            return talk(wire, b"\r\n")

    with ThreadPoolExecutor(4) as clients:
        last = clients.submit(twice)
        answers = list(clients.map(gate.raw, (b"", b"GET /livez HTTP/1.1\r\nhost:", half)))
    return [status(answer) for answer in (*answers, last.result())]


@attack("more connections than allowed", b"503")
def _(gate: Safe) -> object:
    wires = [socket.create_connection(("127.0.0.1", gate.stage.port), timeout=PATIENCE_S) for _ in range(60)]
    try:
        return status(gate.raw(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"))
    finally:
        for wire in wires:
            wire.close()
        until(lambda: gate.stage.ask("GET", "/livez")[0] == 200, "there is room again")


@attack("TLS bytes on a plain port", b"400")
def _(gate: Safe) -> object:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="x")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return status(gate.raw(outgoing.read()))


@attack("JSON that is nested very deeply", 400)
def _(gate: Safe) -> object:
    return gate.stage.ask("POST", PREDICT, b"[" * 19_000, **bearer(gate.texts["shop"]))[0]


@attack("an order for a release whose files were altered", 200)
def _(gate: Safe) -> object:

    gate.stage.release("sha256:ee05")
    (gate.stage.home.releases / "ee05" / "altered").touch()
    with pytest.raises(Untrusted):
        gate.stage.control.apply("forged", routing(epoch=Epoch(9), champion="sha256:ee05", **ALONE))
    return predict(gate, gate.texts["shop"])


@attack("personal values in errors that the operator reads", False)
def _(gate: Safe) -> object:
    mine = bearer(gate.texts["shop"])
    faulty, failing = row(card=SECRET_VALUE, amount="x"), row(card=SECRET_VALUE, items=13)
    for body in (faulty, failing, [SECRET_VALUE]):
        gate.stage.ask("POST", PREDICT, body, **mine)
    gate.stage.ask("POST", f"/v1/services/{SECRET_VALUE}/predict", row(), **mine)
    return SECRET_VALUE in gate.told()


def test_a_rotation_refuses_nobody_meanwhile(gate: Safe) -> None:
    over, found = threading.Event(), set()

    def ask() -> None:
        while not over.is_set():
            found.add(predict(gate, gate.texts["shop"]))

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(3):
        text = gate.add(f"rotated-{number}", "shop:predict")
        until(lambda text=text: predict(gate, text) == 200, "the new key is taken")  # type: ignore[misc]
    (gate.folder / "keys.json").write_bytes(b"{ half a fi")
    until(lambda: "the old keys stay in force" in gate.told(), "the faulty file is told")
    assert predict(gate, text) == 200
    gate.write_keys()
    over.set()
    asking.join()
    assert found == {200}


def test_neither_keys_nor_tokens_nor_subjects_were_told_to_anybody(gate: Safe) -> None:
    told = gate.told()
    assert "credentials refused" in told
    assert not re.search(r"eyJ|ann@example|fbk_", told)
    for text in gate.texts.values():
        assert text.rpartition("_")[2] not in told


def test_the_page_shows_every_attack_and_no_other() -> None:
    rows = re.findall(r"^\| (.+?) \| .+ \|$", PAGE.read_text().partition("## What was tried")[2], flags=re.MULTILINE)
    assert [name for name in rows if name != "attack"] == list(ATTACKS)
