"""The stage of drills where no `flyball up` runs: the drill's own service in a new home, started as a person would."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from flyball.adapters.clock import SystemClock
from flyball.adapters.heartbeat import read_beat
from flyball.app import drills
from flyball.app.declared import load
from flyball.app.demo.observe import Follower, NotSeen
from flyball.app.demo.processes import Processes
from flyball.app.demo.traffic import history
from flyball.app.demo.world import configure
from flyball.app.drills.clients import Clients
from flyball.app.drills.fault import Stage
from flyball.app.drills.watchers import Watchers, pid_of, workers_of
from flyball.app.home import Home
from flyball.app.wiring.drills.rows import MadeUp
from flyball.app.wiring.serving.key_file import add
from flyball.core import events as e
from flyball.core.errors import Unavailable
from flyball.core.ledger import Ledger

SERVICE = "fraud"
ROWS, SEED = 8_000, 2026
OFFERED_S = 120.0
PAST_DAYS = 1e-9  # a key that has run out by the time it is used
GATEWAY = """apiVersion: flyball/v1
kind: Gateway
auth: {keys: "file:keys.json"}
"""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else can write to a ledger's file inside. The kernel takes the lock back from whoever is killed."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=60.0)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.rollback()
        connection.close()


class OwnStage:
    """Made in a new home; use `running` as a context."""

    def __init__(self, home: Home, ledger: Ledger, *, rate: float = 50.0, small: bool = False) -> None:
        """`rate`: requests a second. `small`: one process answers, where no fault is about several."""
        self._home, self._ledger, self._rate, self._small = home, ledger, rate, small
        self._dice, self._clock = np.random.default_rng(SEED), SystemClock()
        self._folder = home.made().root / "service"
        self._log = self._folder / "processes.log"
        self._keys = self._folder / "keys.json"
        self._processes = Processes(home.root, {}, log=self._log)
        self.rows = MadeUp(self._dice, self._clock)

    @property
    def file(self) -> Path:
        return self._folder / SERVICE / "service.yaml"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        """Trained, started, and under traffic. Raises: Unavailable: it does not come up."""
        shutil.copytree(
            Path(drills.__file__).parent / "service",
            self._folder / SERVICE,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        history(self._dice, ROWS).write_parquet(self._folder / SERVICE / "transactions.parquet")
        if self._small:
            _alone(self.file)
        gateway = self._folder / "gateway.yaml"
        gateway.write_text(GATEWAY)
        key, _ = add(self._keys, (f"{SERVICE}:predict", f"{SERVICE}:labels"), days=None, rate_rps=None, note="clients")
        try:
            await self._processes.train(self.file)
            async with self._processes.up(self.file, "--gateway", str(gateway), "--allow-drills") as up:
                clients = Clients(
                    up.url,
                    SERVICE,
                    self.rows,
                    self._dice,
                    rate=self._rate,
                    honest=True,
                    key="card_id",
                    headers={"Authorization": f"Bearer {key}"},
                )
                async with clients:
                    yield self._stage(clients)
        except NotSeen as error:
            raise Unavailable(str(error), hint=f"see {self._log}") from error

    def watchers(self) -> Watchers:
        return Watchers(self._home, kept_at=lambda: kept_at(self._home, SERVICE))

    def _stage(self, clients: Clients) -> Stage:
        return Stage(
            service=SERVICE,
            contract=load(self.file).contract,
            label="is_fraud",
            fallback=bool(load(self.file).service.serving.fallback),
            clients=clients,
            lock_ledger=lambda: locking(self._home),
            workers=lambda: workers_of(pid_of(self._home, "gateway")),
            bad_key=self._expired_key,
            offer=self._offer,
            shift=self.rows.shift,
            why_not=dict,
            aim=lambda word: word,  # its model reads it by itself
        )

    def _expired_key(self) -> str:
        text, _ = add(self._keys, (f"{SERVICE}:predict",), days=PAST_DAYS, rate_rps=None, note="drill: has run out")
        return text

    async def _offer(self, config: dict[str, Any]) -> None:
        """In a copy of the service folder, so that the service itself stays as it is."""
        file = self._folder / "branch" / SERVICE / "service.yaml"
        if file.parent.exists():
            shutil.rmtree(file.parent)
        shutil.copytree(self.file.parent, file.parent)
        configure(file, config)
        follow = Follower(lambda seq: self._ledger.read(seq), self._processes.check)
        follow.catch_up()
        after = follow.seq
        try:
            trained = await self._processes.train(file)
            opened = await follow.until(
                e.RolloutOpened,
                lambda fact: fact.release == trained["release"],
                what="its rollout",
                after=after,
                within_s=OFFERED_S,  # it waits for what the drills before it have left
            )
            started = await follow.until(
                e.StepStarted,
                lambda fact: fact.rollout == opened.rollout and fact.kind == "canary",
                what="its canary",
                after=after,
            )
            await follow.until(
                e.RoutingApplied, lambda fact: fact.epoch == started.routing.epoch, what="live traffic", after=after
            )
        except NotSeen as error:
            raise Unavailable(f"the bad release was not rolled out: {error}") from error


def _alone(file: Path) -> None:
    """Rewrite a service.yaml so that one process does all of the answering."""
    yaml = YAML()
    declared = yaml.load(file)
    declared["serving"]["workers"] = 1
    del declared["serving"]["recycle"]
    yaml.dump(declared, file)


@asynccontextmanager
async def locking(home: Home) -> AsyncIterator[None]:
    """`locked`, for a loop that goes on meanwhile. Raises: Unavailable: the ledger stands in a database."""
    if home.database is not None:
        raise Unavailable("a ledger in a database is not the drill's to lock", hint="drill the database itself")
    with locked(home.ledger):
        yield


def kept_at(home: Home, service: str) -> float | None:
    """When a controller last kept a service, seconds since the epoch; None: none ever did."""
    beat = read_beat(home.heartbeat)
    return None if beat is None else beat.kept.get(service)
