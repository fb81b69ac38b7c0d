"""What is measured around a service: a gateway that is away is a finding, what cannot be asked is said."""

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from msgspec.structs import replace
from tests.control.world import FIRST, NAME, service
from tests.serving.certificates import Authority

from flyball.adapters.gateway_address import Address, write_address
from flyball.adapters.refused_files import Left, leave
from flyball.app.home import Home
from flyball.app.wiring.loop.around import KEPT, Around
from flyball.core.contract import Column
from flyball.core.declared.serving import Probes, Serving
from flyball.core.surroundings import Surroundings
from flyball.serving.access.own_probe import HEADER, is_own

SECRET = b"secret"
COLUMNS = (Column(name="amount", kind="number"), Column(name="shop", kind="string"))
DECLARED = replace(service(), serving=Serving(probes=Probes(every_s=1.0, timeout_s=60.0)))


class Gateway:
    """Answers as it is told to, and remembers who asked what."""

    def __init__(self) -> None:
        self.status, self.asked = 200, list[tuple[str, str, Any]]()

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        word = request.headers[HEADER.decode()]
        assert is_own(SECRET, word, float(word.split(".")[0]), request.method, request.path)
        self.asked.append((request.method, request.path, body))
        return web.json_response({}, status=self.status)


@asynccontextmanager
async def gateway(home: Home, cert: tuple[Path, Path] | None = None) -> AsyncIterator[Gateway]:
    """A real server on loopback, whose address stands in the home."""
    app, one = web.Application(), Gateway()
    app.router.add_route("*", "/{path:.*}", one.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    tls = None
    if cert is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*cert)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    kind = "http" if cert is None else "https"
    url, shown = f"{kind}://127.0.0.1:{port}", None if cert is None else str(cert[0])
    write_address(home.gateway_address, Address(url=url, pid=1, certificate=shown))
    try:
        yield one
    finally:
        await runner.cleanup()


def home_of(folder: Path, *rows: dict[str, Any]) -> Home:
    home = Home(folder)
    packaged = home.releases / FIRST.removeprefix("sha256:")
    packaged.mkdir(parents=True)
    pl.DataFrame(list(rows or ({"amount": None, "shop": "a"}, {"amount": 2.5, "shop": "b"}))).write_parquet(
        packaged / "probe.parquet"
    )
    return home


def watching(home: Home) -> Around:
    around = Around(home, SECRET)
    around.watch(DECLARED, COLUMNS, lambda: FIRST)
    return around


def turns(around: Around, many: int, *, begin: float = 1e9) -> Any:
    async def all_of_them() -> Surroundings:
        for turn in range(many):
            await around.turn(begin + 10.0 * turn)
        return around.of(NAME)

    return all_of_them()


def test_each_endpoint_is_asked_as_clients_ask_it(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path)
        async with gateway(home) as one:
            found = await turns(watching(home), 1)
        assert [(probe.endpoint, probe.ok) for probe in found.probes] == [
            ("predict", True),
            ("infer", True),
            ("ready", True),
        ]
        infer, predict, ready = sorted(one.asked, key=lambda each: each[1].rpartition("/")[2])
        assert predict == ("POST", f"/v1/services/{NAME}/predict", {"amount": None, "shop": "a"})
        assert infer[1] == f"/v2/models/{NAME}/infer"
        assert [tensor["data"] for tensor in infer[2]["inputs"]] == [[2.5], ["b"]]
        assert ready == ("GET", f"/v2/models/{NAME}/ready", None)
        assert found.disk_free is not None
        assert found.memory_used is not None

    asyncio.run(work())


def test_that_nobody_was_refused_is_known_only_after_a_look(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    around = watching(home)
    assert around.of(NAME).refused is None
    assert asyncio.run(turns(around, 1)).refused == {}
    at = time.time()
    leave(home.refused, Left(key="key-0a1b2c3d4e5f", at=at))
    assert asyncio.run(turns(around, 1)).refused == {"key-0a1b2c3d4e5f": at}


def test_the_newest_ten_of_each_are_kept_and_a_bad_answer_says_what_it_was(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path)
        around = watching(home)
        async with gateway(home) as one:
            await turns(around, 12)
            one.status = 503
            found = await turns(around, 1, begin=2e9)
        assert len(found.probes) == 3 * KEPT
        assert [probe.ok for probe in found.probes[-3:]] == [False] * 3
        assert found.probes[-1].said == "status 503: {}"

    asyncio.run(work())


def test_since_when_nothing_is_answered_is_known_beyond_the_newest_ten(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path)
        around = watching(home)
        async with gateway(home) as one:
            one.status = 503
            first = await turns(around, 1)
            found = await turns(around, KEPT + 2, begin=2e9)
            one.status = 200
            over = await turns(around, 1, begin=3e9)
        assert found.failing_since == {probe.endpoint: probe.at for probe in first.probes}
        assert first.probes[0] not in found.probes
        assert over.failing_since == {}

    asyncio.run(work())


def test_a_gateway_that_is_gone_is_a_finding_and_one_that_never_was_is_none(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path)
        around = watching(home)
        found = await turns(around, 1)
        assert found.probes == ()
        assert found.missing["probes"] == "no gateway of this home has said where it answers"
        async with gateway(home):
            pass
        found = await turns(around, 1, begin=2e9)
        assert [probe.ok for probe in found.probes] == [False] * 3
        assert "probes" not in found.missing

    asyncio.run(work())


def test_what_says_nothing_new_is_the_same_object(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path)
        around = Around(home, SECRET)
        around.watch(replace(DECLARED, serving=Serving()), COLUMNS, lambda: FIRST)
        first = await turns(around, 1)
        assert await turns(around, 1, begin=1e9 + 1.0) is first

    asyncio.run(work())


def test_tls_is_believed_by_the_gateways_own_certificate_and_by_no_other(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path / "home")
        authority = Authority(tmp_path, "authority")
        mine, other = authority.leaf("gateway"), authority.leaf("another")
        async with gateway(home, mine) as one:
            found = await turns(watching(home), 1)
            assert [probe.ok for probe in found.probes] == [True] * 3
            url = Address(url="https://127.0.0.1:1", pid=1).url
            assert url.startswith("https")
            write_address(
                home.gateway_address,
                replace(read(home), certificate=str(other[0])),
            )
            found = await turns(watching(home), 1)
            assert [probe.ok for probe in found.probes] == [False] * 3
            assert "ertificate" in found.probes[0].said
            assert len(one.asked) == 3
            write_address(home.gateway_address, replace(read(home), asks_certificate=True))
            found = await turns(watching(home), 1)
            assert "asks every client for a certificate" in found.missing["probes"]

    asyncio.run(work())


def read(home: Home) -> Address:
    from flyball.adapters.gateway_address import read_address

    return read_address(home.gateway_address)


def test_a_release_without_a_whole_row_is_not_asked_by_tensors_and_says_so(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path, {"amount": None, "shop": "a"})
        async with gateway(home) as one:
            found = await turns(watching(home), 1)
        assert len(one.asked) == 2
        assert "without a missing value" in found.missing["probes of infer"]

    asyncio.run(work())


def test_a_fault_of_one_turn_ends_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flyball.app.wiring.loop.around.TURN_S", 0.0)
    around, stopping, turned = watching(home_of(tmp_path)), threading.Event(), list[float]()

    async def faulty(now: float) -> None:
        turned.append(now)
        if len(turned) == 3:
            stopping.set()
        raise ValueError("of ours")

    monkeypatch.setattr(around, "turn", faulty)
    around.run(stopping)
    assert (len(turned), capfd.readouterr().err.count("of ours")) == (3, 1)
