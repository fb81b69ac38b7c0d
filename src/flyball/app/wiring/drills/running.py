"""The stage of drills on a `flyball up` that allows them: its own clients go on, the drill adds a bounded share.

The rows are those that the service has learned from, in the drill's own range of keys. What fraction of the traffic
they are is kept by the gateway's own count of rows: so many a second more as the share allows.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np

from flyball.adapters.clock import SystemClock
from flyball.app.declared import Declared, load
from flyball.app.drills.clients import Clients
from flyball.app.drills.fault import Stage
from flyball.app.drills.lease import Allowed
from flyball.app.drills.watchers import Watchers, pid_of, workers_of
from flyball.app.home import Home
from flyball.app.wiring.drills.own import kept_at, locking
from flyball.app.wiring.drills.rows import FromSource
from flyball.core.errors import NotFound, Refused, Unavailable

KEY_VARIABLE = "FLYBALL_DRILL_KEY"  # a key with `predict` and `labels`, where the gateway asks for one
LEAST_RPS = 1.0
MEASURE_S = 2.0


class RunningStage:
    """Of one service of a running `flyball up`."""

    def __init__(self, home: Home, up: Allowed, service: str | None, share: float) -> None:
        """Raises: NotFound: no such service there. BadInput: its folder is faulty."""
        self.name, file = service_of(up, service)
        self._home, self._up, self._share = home, up, share
        self._declared: Declared = load(file)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        """Raises: Unavailable: the gateway does not answer."""
        dice, declared = np.random.default_rng(), self._declared
        rows = FromSource(declared, dice, SystemClock())
        key = declared.service.data.key
        texts = {each.name for each in declared.contract.columns if each.kind == "string"}
        headers = {"Authorization": f"Bearer {text}"} if (text := os.environ.get(KEY_VARIABLE)) else {}
        rate = max(LEAST_RPS, await self._rate(headers) * self._share / (1 - self._share))
        clients = Clients(
            self._up.url,
            self.name,
            rows,
            dice,
            rate=rate,
            honest=False,
            key=key if key in texts else None,
            headers=headers,
        )
        async with clients:
            yield Stage(
                service=self.name,
                contract=declared.contract,
                label=declared.service.data.label,
                clients=clients,
                lock_ledger=lambda: locking(self._home),
                workers=lambda: workers_of(pid_of(self._home, "gateway")),
                expired_key=_not_here,
                offer=_offer_not_here,
                shift=rows.shift,
            )

    def watchers(self, clients: Clients) -> Watchers:
        return Watchers(
            self._home,
            kept_at=lambda: kept_at(self._home, self.name),
            refusals=lambda: 0,
            refused_at=lambda: clients.refused_at,
        )

    async def _rate(self, headers: dict[str, str]) -> float:
        """Rows a second that the gateway takes now."""
        async with aiohttp.ClientSession(self._up.url, headers=headers) as session:
            before = await self._rows(session)
            await asyncio.sleep(MEASURE_S)
            return max(0.0, await self._rows(session) - before) / MEASURE_S

    async def _rows(self, session: aiohttp.ClientSession) -> float:
        wanted = f'flyball_rows_total{{service="{self.name}"'
        try:
            async with session.get("/metrics") as response:
                text = await response.text()
        except aiohttp.ClientError as error:
            raise Unavailable(f"{self._up.url} does not answer: {error}") from error
        if response.status != 200:
            hint = f"put a key with the scopes predict, labels and metrics into {KEY_VARIABLE}"
            raise Unavailable(f"{self._up.url}/metrics answers {response.status}", hint=hint)
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(wanted))


def service_of(up: Allowed, service: str | None) -> tuple[str, str]:
    """Name and file of the service that is meant. Raises: Refused: of several none is named. NotFound: no such one."""
    names = ", ".join(up.services)
    if service is None and len(up.services) > 1:
        raise Refused(f"several services run here: {names}", hint="name one by --service")
    name = service or next(iter(up.services))
    if name not in up.services:
        raise NotFound(f"no service {name!r} runs here", hint=f"services: {names}")
    return name, up.services[name]


def _not_here() -> str:
    raise Refused("keys of a running gateway are not the drill's")


async def _offer_not_here(_: dict[str, Any]) -> None:
    raise Refused("releases of a running service are not the drill's")
