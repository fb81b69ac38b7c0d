"""Probes over gRPC: a real door with a real listener, in the clear and behind TLS; and what is found is forgotten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace
from tests.app.wiring.test_around import COLUMNS, DECLARED, gateway, home_of, turns
from tests.control.world import FIRST, NAME
from tests.serving.certificates import Authority
from tests.serving.door import opened
from tests.serving.parts import CHAMPION, CONTRACT, service
from tests.serving.serve.http.test_own_probes import everything, guarded

from flyball.adapters.gateway_address import Address, write_address
from flyball.app.home import Home
from flyball.app.wiring.loop.around import Around
from flyball.core.declared.serving import Probes, Serving
from flyball.core.surroundings import Surroundings

grpc: Any = pytest.importorskip("grpc", reason="grpcio is not there")

from flyball.serving.serve.grpc_server import GrpcServer  # noqa: E402
from flyball.serving.serve.http.asgi import Door  # noqa: E402
from flyball.serving.serve.http.tls import Certificates, TlsFiles  # noqa: E402

SHOP = replace(service(), serving=Serving(probes=Probes(endpoints=("grpc",), timeout_s=60.0)))
INPUTS = tuple(column for column in CONTRACT.columns if column.name != "fraud")


@asynccontextmanager
async def serving(folder: Path, leaf: tuple[Path, Path] | None = None) -> AsyncIterator[tuple[Door, Home, GrpcServer]]:
    """A door that lets nobody in, over gRPC, and a home that knows where."""
    async with opened(folder, sick=False) as door:
        home = Home(folder / "home")
        packaged = home.releases / CHAMPION.removeprefix("sha256:")
        pl.DataFrame({"card": ["c"], "amount": [1.0], "items": [1]}).write_parquet(packaged / "probe.parquet")
        certificates = None
        if leaf is not None:
            certificates = Certificates(TlsFiles(cert=leaf[0], key=leaf[1], client_ca=None, minimum="1.2"))
        server = GrpcServer("127.0.0.1", 0, certificates=certificates)
        await server.start(guarded(door))
        shown = str(leaf[0]) if leaf else None
        where = Address(url="https://127.0.0.1:1", pid=1, grpc=f"127.0.0.1:{server.port}", certificate=shown)
        write_address(home.gateway_address, where if leaf else replace(where, url="http://127.0.0.1:1"))
        try:
            yield door, home, server
        finally:
            await server.stop()


async def probed(door: Door, home: Home, times: int = 1) -> Surroundings:
    around = Around(home, door._secret)
    around.watch(SHOP, INPUTS, lambda: CHAMPION)
    for turn in range(times):
        await around.turn(1e9 + 100.0 * turn)
    return around.of("shop")


def test_a_probe_over_grpc_is_answered_by_the_champion_and_leaves_no_trace(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as (door, home, server):
            before = everything(door)
            found = await probed(door, home, times=5)
            assert [(probe.endpoint, probe.ok, probe.said) for probe in found.probes] == [("grpc", True, "")] * 5
            assert everything(door) == before
            await server.stop()
            (gone,) = (await probed(door, home)).probes
            assert (gone.ok, gone.said[:16]) == (False, "code UNAVAILABLE")

    asyncio.run(work())


def test_a_champion_that_fails_is_a_finding(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as (door, home, _):
            door._services["shop"].refused = "it was altered"
            (found,) = (await probed(door, home)).probes
            assert (found.ok, found.said) == (False, "code UNAVAILABLE: service shop is not served: it was altered")

    asyncio.run(work())


def test_whoever_has_another_secret_is_a_client_like_any_other(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as (_, home, _):
            around = Around(home, b"guessed")
            around.watch(SHOP, INPUTS, lambda: CHAMPION)
            await around.turn(1e9)
            (found,) = around.of("shop").probes
            assert found.said == "code UNAUTHENTICATED: the credentials are not valid"

    asyncio.run(work())


def test_tls_is_believed_by_the_gateways_own_certificate_and_by_no_other(tmp_path: Path) -> None:
    async def work() -> None:
        authority = Authority(tmp_path, "authority")
        mine, other = authority.leaf("gateway"), authority.leaf("another")
        async with serving(tmp_path / "it", mine) as (door, home, server):
            (found,) = (await probed(door, home)).probes
            assert (found.ok, found.said) == (True, "")
            where = f"127.0.0.1:{server.port}"
            write_address(
                home.gateway_address, Address(url="https://a:1", pid=1, grpc=where, certificate=str(other[0]))
            )
            (found,) = (await probed(door, home)).probes
            assert not found.ok

    (tmp_path / "it").mkdir()
    asyncio.run(work())


def test_a_gateway_without_grpc_is_not_asked_and_that_is_said(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path)
        around = Around(home, b"secret")
        around.watch(replace(DECLARED, serving=Serving(probes=Probes(endpoints=("grpc",)))), COLUMNS, lambda: FIRST)
        async with gateway(home):
            found: Surroundings = await turns(around, 1)
        assert found.probes == ()
        assert "--grpc-port" in found.missing["probes of grpc"]

    asyncio.run(work())


def test_what_was_found_where_nobody_asks_any_more_is_forgotten(tmp_path: Path) -> None:
    async def work() -> None:
        home = home_of(tmp_path)
        around = Around(home, b"secret")
        around.watch(DECLARED, COLUMNS, lambda: FIRST)
        async with gateway(home) as one:
            one.status = 503
            assert len((await turns(around, 1)).probes) == 3
        only = replace(DECLARED, serving=Serving(probes=Probes(endpoints=("ready",))))
        around.watch(only, COLUMNS, lambda: FIRST)
        assert [probe.endpoint for probe in around.of(NAME).probes] == ["ready"]
        assert [*around.of(NAME).failing_since] == ["ready"]
        around.watch(replace(DECLARED, serving=Serving()), COLUMNS, lambda: FIRST)
        assert (around.of(NAME).probes, around.of(NAME).failing_since) == ((), {})

    asyncio.run(work())
