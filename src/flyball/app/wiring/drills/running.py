"""The stage of drills on a `flyball up` that allows them: its own clients go on, the drill adds a bounded share.

The rows are those that the service has learned from, in the drill's own range of keys. What fraction of the traffic
they are is kept by the gateway's own count of rows: so many a second more as the share allows.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import numpy as np

from flyball.adapters.clock import SystemClock
from flyball.app.declared import Declared, load
from flyball.app.drills.clients import Clients
from flyball.app.drills.fault import Stage
from flyball.app.drills.here import aimed, why_not
from flyball.app.drills.lease import Allowed
from flyball.app.drills.rows_counted import rows_counted
from flyball.app.drills.watchers import Watchers, pid_of, workers_of
from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.drills.candidate import copied, live
from flyball.app.wiring.drills.looking import asks_for_keys, here_of, service_of
from flyball.app.wiring.drills.own import kept_at, locking
from flyball.app.wiring.drills.rows import FromSource
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.declared.drills import CANDIDATE
from flyball.core.drill_lease import KEYS
from flyball.core.errors import Refused, Unavailable
from flyball.core.ids import ReleaseRoot, ServiceName
from flyball.core.ledger import Ledger
from flyball.core.routing import WHOLE
from flyball.serving.access.api_keys import ID_BYTES, SALT_BYTES, SECRET_BYTES, made
from flyball.serving.routing.assign import bucket

KEY_VARIABLE = "FLYBALL_DRILL_KEY"  # a key with `predict` and `labels`, where the gateway asks for one
LEAST_RPS = 1.0
MEASURE_S = 2.0
LEAST_SHARE = 0.001  # of the units, for a candidate: of 10,000 keys none is among them once in 22,000 drills


class RunningStage:
    """Of one service of a running `flyball up`."""

    def __init__(self, home: Home, ledger: Ledger, up: Allowed, service: str | None, share: float) -> None:
        """Raises: NotFound: no such service there. BadInput: its folder is faulty."""
        self.name, file = service_of(up, service)
        self._home, self._ledger, self._up, self._share = home, ledger, up, share
        self._declared: Declared = load(file)
        self._candidate = ""  # of the drill that has one

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        """Raises: Unavailable: the gateway does not answer."""
        dice, declared = np.random.default_rng(), self._declared
        rows = FromSource(declared, dice, SystemClock())
        keys = await asks_for_keys(self._up)
        column = here_of(self._home, declared, keys=keys).column
        headers = {"Authorization": f"Bearer {text}"} if (text := os.environ.get(KEY_VARIABLE)) else {}
        rate = max(LEAST_RPS, await self._rate(headers) * self._share / (1 - self._share))
        clients = Clients(
            self._up.url,
            self.name,
            rows,
            dice,
            rate=rate,
            honest=False,
            key=column or None,
            headers=headers,
        )
        async with clients:
            yield Stage(
                service=self.name,
                contract=declared.contract,
                label=declared.service.data.label,
                fallback=bool(declared.service.serving.fallback),
                clients=clients,
                lock_ledger=lambda: locking(self._home),
                workers=lambda: workers_of(pid_of(self._home, "gateway")),
                bad_key=unknown_key,
                offer=lambda _: self._offer(clients),
                shift=rows.shift,
                why_not=lambda: why_not(here_of(self._home, declared, keys=keys)),
                aim=lambda word: aimed(word, here_of(self._home, declared, keys=keys), self._struck(word.fault)),
            )

    def _struck(self, fault: str) -> str:
        """The release whose answers a fault strikes."""
        return self._candidate if fault == CANDIDATE else str(self._state().champion)

    def _state(self) -> ServiceState:
        return states_of(self._ledger)[self.name]

    async def _offer(self, clients: Clients) -> None:
        """A copy of the champion gets the drill's share, and the drill's rows have keys that go there.

        Raises: Refused: the service is frozen, or the share too small. Unavailable: it is not tried.
        """
        state = self._state()
        if self._share < LEAST_SHARE:
            what = f"a candidate on {self._share:.3%} of the units may meet none of the drill's rows"
            raise Refused(what, hint=f"--share {LEAST_SHARE:g}, or more")
        if state.frozen is not None:
            raise Refused(f"{self.name} is frozen by {state.frozen.by}: nothing is tried there", hint="flyball thaw")
        champion, drill = ReleaseRoot(str(state.champion)), state.healing.drill
        assert drill is not None
        root = await asyncio.to_thread(copied, self._home, champion, drill.drill)
        name = ServiceName(self.name)
        routing = await live(
            self._ledger, e.DrillCandidate(service=name, drill=drill.drill, release=root, copy_of=champion)
        )
        self._candidate = root
        own = (f"{KEYS}{number:05d}" for number in range(WHOLE))
        clients.keys = [key for key in own if bucket(routing.salt, key) < routing.weight]

    def watchers(self) -> Watchers:
        return Watchers(self._home, kept_at=lambda: kept_at(self._home, self.name))

    async def _rate(self, headers: dict[str, str]) -> float:
        """Rows a second that the gateway takes now."""
        async with aiohttp.ClientSession(self._up.url, headers=headers) as session:
            before = await self._rows(session)
            await asyncio.sleep(MEASURE_S)
            return max(0.0, await self._rows(session) - before) / MEASURE_S

    async def _rows(self, session: aiohttp.ClientSession) -> float:
        try:
            async with session.get("/metrics") as response:
                text = await response.text()
        except aiohttp.ClientError as error:
            raise Unavailable(f"{self._up.url} does not answer: {error}") from error
        if response.status != 200:
            hint = f"put a key with the scopes predict, labels, metrics and admin into {KEY_VARIABLE}"
            raise Unavailable(f"{self._up.url}/metrics answers {response.status}", hint=hint)
        return rows_counted(text, self.name)


def unknown_key() -> str:
    """One that the gateway has never known: one that has run out would have to be written into the owner's file."""
    text, _ = made(os.urandom(ID_BYTES + SECRET_BYTES + SALT_BYTES), (), now=time.time())
    return text
