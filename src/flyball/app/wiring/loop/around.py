"""What is measured around the services of a home, beside their log: probes of the gateway, its processes, the machine.

One thread for all of them. What it finds is handed over as one object a service, which stays the same as long as it
says the same, so a controller at rest judges nothing anew. A probe that fails is a finding; what could not be measured
at all is said, and is none.
"""

import asyncio
import sys
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from flyball.adapters.gateway_address import Address, read_address
from flyball.adapters.machine import disk_free, memory_used, processes
from flyball.adapters.prober import Prober
from flyball.adapters.refused_files import left, of_service
from flyball.app.home import Home
from flyball.app.wiring.loop.probe_requests import Request, request
from flyball.core.contract import Column
from flyball.core.declared.serving import Endpoint, Probes
from flyball.core.errors import Unavailable
from flyball.core.service import Service
from flyball.core.surroundings import Probed, Surroundings
from flyball.serving.access.own_probe import HEADER, mark

TURN_S, MACHINE_S = 0.5, 10.0
REFUSED_S = 86_400.0  # what was refused longer ago interests nobody
KEPT = 10  # probes of an endpoint
AT_ONCE = 16  # probes under way
GRAIN_MB = 16.0  # a process that holds a little more says nothing new


@dataclass
class _Watched:
    service: Service
    columns: tuple[Column, ...]
    champion: Callable[[], str | None]
    due: float  # monotonic seconds
    found: Surroundings
    requests: dict[tuple[str, Endpoint], Request] = field(default_factory=dict)  # by champion


class Around:
    """Of one home."""

    def __init__(self, home: Home, secret: bytes) -> None:
        """`secret`: of the home, by which its gateway knows its own probes."""
        self._home, self._secret = home, secret
        self._watched: dict[str, _Watched] = {}
        self._machine_due = 0.0

    def watch(self, service: Service, columns: tuple[Column, ...], champion: Callable[[], str | None]) -> None:
        """From now on, in place of what was declared before. `columns`: inputs that a client sends."""
        name, probes = service.metadata.name, service.serving.probes
        spread = zlib.crc32(name.encode()) % 1000 / 1000.0  # services that begin together do not ask together
        due = time.monotonic() + spread * (probes.every_s if probes else 0.0)
        known = self._watched.get(name)
        found = _asked_still(known.found if known is not None else Surroundings(), probes)
        self._watched[name] = _Watched(service, columns, champion, due, found)

    def of(self, service: str) -> Surroundings:
        known = self._watched.get(service)
        return known.found if known is not None else _NOTHING

    def run(self, stopping: threading.Event) -> None:
        """Until told to stop."""
        asyncio.run(self._run(stopping))

    async def _run(self, stopping: threading.Event) -> None:
        told = ""
        while not stopping.is_set():
            try:
                await self.turn(time.monotonic())
                told = ""
            except Exception as error:  # a fault of ours must not end the controller's other threads
                if told != str(error):
                    sys.stderr.write(f"controller: what is around the services cannot be measured now: {error!r}\n")
                told = str(error)
            await asyncio.sleep(TURN_S)

    async def turn(self, now: float) -> None:
        """Whatever is due. Args: now: monotonic seconds."""
        if now >= self._machine_due:
            self._machine_due = now + MACHINE_S
            await asyncio.to_thread(self._look_at_machine)
        await asyncio.to_thread(self._look_at_refused)
        due = [each for each in list(self._watched.values()) if each.service.serving.probes and now >= each.due]
        if not due:
            return
        try:
            address = read_address(self._home.gateway_address)
            if address.asks_certificate:
                raise Unavailable(
                    "the gateway asks every client for a certificate (tls.client_ca), and a probe has none"
                )
            if address.url.startswith("https") and address.certificate is None:
                raise Unavailable("the gateway's certificate is in no file, so a probe cannot tell it from another one")
        except Unavailable as error:
            for each in due:
                each.due = now + _probes(each).every_s
                each.found = _with(each.found, missing=each.found.missing | {"probes": str(error)})
            return
        room = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._probe(each, address, room, now) for each in due))

    async def _probe(self, each: _Watched, address: Address, room: asyncio.Semaphore, now: float) -> None:
        """All endpoints of a service, together: one that hangs must not hide the others."""
        probes, name = _probes(each), each.service.metadata.name
        each.due = now + probes.every_s
        champion = each.champion()
        if champion is None:
            return
        asking = []
        missing = {key: why for key, why in each.found.missing.items() if not key.startswith("probes")}
        async with room, Prober(address.url, address.certificate, timeout_s=probes.timeout_s) as prober:
            for endpoint in probes.endpoints:
                try:
                    if endpoint == "grpc" and address.grpc is None:
                        raise Unavailable("the gateway serves no gRPC: start it with --grpc-port")
                    asked = self._asked(each, champion, endpoint)
                except Unavailable as error:
                    missing[f"probes of {endpoint}"] = str(error)
                    continue
                word = {HEADER.decode(): mark(self._secret, time.time(), asked.method, asked.path)}
                if endpoint == "grpc":
                    asking.append(_over_grpc(address, asked, word, probes.timeout_s))
                else:
                    headers = word | {"content-type": "application/json"}
                    asking.append(prober.ask(endpoint, asked.path, asked.body, headers))
            found = await asyncio.gather(*asking)
        if self._watched.get(name) is each:
            failing = _failing(each.found.failing_since, found)
            probes_now = _newest((*each.found.probes, *found))
            each.found = _with(each.found, probes=probes_now, failing_since=failing, missing=missing)

    def _asked(self, each: _Watched, champion: str, endpoint: Endpoint) -> Request:
        """Made once a champion."""
        key = champion, endpoint
        if key not in each.requests:
            folder = self._home.releases / champion.removeprefix("sha256:")
            made = request(endpoint, each.service.metadata.name, each.columns, Path(folder))
            each.requests = {at: known for at, known in each.requests.items() if at[0] == champion} | {key: made}
        return each.requests[key]

    def _look_at_refused(self) -> None:
        found = left(self._home.refused, since=time.time() - REFUSED_S)
        for name, each in list(self._watched.items()):
            each.found = _with(each.found, refused=of_service(found, name))

    def _look_at_machine(self) -> None:
        missing: dict[str, str] = {}
        free = used = None
        try:
            free = round(disk_free(self._home.root), 3)
            used = round(memory_used(), 2)
        except OSError as error:
            missing["machine"] = str(error)
        try:
            workers = processes(read_address(self._home.gateway_address).pid)
        except Unavailable as error:
            workers, missing["workers"] = (), str(error)
        workers = tuple(replace(one, memory_mb=GRAIN_MB * round(one.memory_mb / GRAIN_MB)) for one in workers)
        for each in list(self._watched.values()):
            kept = {key: why for key, why in each.found.missing.items() if key.startswith("probes")}
            each.found = _with(each.found, disk_free=free, memory_used=used, workers=workers, missing=kept | missing)


def _with(found: Surroundings, **other: object) -> Surroundings:
    """The same object where nothing is other."""
    changed = replace(found, **other)
    return found if changed == found else changed


def _asked_still(found: Surroundings, probes: Probes | None) -> Surroundings:
    """Without what was found at endpoints that are declared no longer: nobody would ever find it otherwise."""
    endpoints = probes.endpoints if probes is not None else ()
    return _with(
        found,
        probes=tuple(probe for probe in found.probes if probe.endpoint in endpoints),
        failing_since={name: since for name, since in found.failing_since.items() if name in endpoints},
        missing={name: why for name, why in found.missing.items() if not name.startswith("probes")},
    )


async def _over_grpc(address: Address, asked: Request, metadata: dict[str, str], timeout_s: float) -> Probed:
    """The extra is here: the request was made with it."""
    from flyball.adapters.grpc_prober import GrpcProber
    from flyball.serving.serve.grpc_messages import SERVICE

    prober = GrpcProber(address.grpc or "", address.certificate, timeout_s=timeout_s)
    return await prober.ask("grpc", f"/{SERVICE}/ModelInfer", asked.body or b"", metadata)


def _newest(probes: tuple[Probed, ...]) -> tuple[Probed, ...]:
    """The last of each endpoint, in the order in which they were sent."""
    kept: list[Probed] = []
    counts: dict[str, int] = {}
    for probe in reversed(probes):
        counts[probe.endpoint] = counts.get(probe.endpoint, 0) + 1
        if counts[probe.endpoint] <= KEPT:
            kept.append(probe)
    return tuple(reversed(kept))


def _failing(before: dict[str, float], found: Sequence[Probed]) -> dict[str, float]:
    """Since when nothing but failures came of an endpoint; a controller that starts anew counts from its first one."""
    answered = {probe.endpoint for probe in found if probe.ok}
    failed = {probe.endpoint: probe.at for probe in found if not probe.ok}
    return failed | {endpoint: since for endpoint, since in before.items() if endpoint not in answered}


def _probes(each: _Watched) -> Probes:
    found = each.service.serving.probes
    assert found is not None
    return found


_NOTHING = Surroundings()
