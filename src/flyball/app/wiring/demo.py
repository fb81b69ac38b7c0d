"""Process: the demo's driver. It starts `flyball` as a person would, sends traffic as clients would, and watches."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np

from flyball.adapters.clock import SystemClock
from flyball.app.demo import story
from flyball.app.demo.load import Load, Source
from flyball.app.demo.observe import Follower
from flyball.app.demo.processes import Processes
from flyball.app.demo.report import LedgerSeen, Report
from flyball.app.demo.traffic import history
from flyball.app.demo.world import SERVICE, World
from flyball.app.home import Home
from flyball.app.people import Person, approve
from flyball.app.wiring.ledger import audit, ledger_of, open_ledger
from flyball.core.errors import Conflict

SEED = 2026
HISTORY_ROWS = 14_000
RATE = 200.0  # requests a second
LABEL_DELAY_S = 1.5
APPROVER = Person(name="demo-approver", proof="simulated", every_role=True)
FAULTS_VARIABLE = "FLYBALL_DEMO_FAULTS"

Say = Callable[[float, str, str], None]


def run(home: Home, say: Say) -> Report:
    """The whole demo in a home. Ctrl-C and SIGTERM end it and everything it has started."""
    return asyncio.run(_run(home, say))


async def _run(home: Home, say: Say) -> Report:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    dice = np.random.default_rng(SEED)
    folder = _service_folder(home, dice)
    with contextlib.closing(open_ledger(home)) as ledger:
        world = World(
            folder=folder,
            began=loop.time(),
            follow=Follower(ledger.read, lambda: _alarm(world)),
            processes=Processes(home.root, {FAULTS_VARIABLE: str(folder / "faults")}, log=folder / "processes.log"),
            approve=lambda service, why: _approve(home, service, why),
            say=say,
        )
        world.report.home = str(home.root)
        clock = SystemClock()
        return await story.tell(
            world,
            lambda url: Load(url, SERVICE, Source(dice), clock, rate=RATE, label_delay_s=LABEL_DELAY_S),
            lambda: _look_at_ledger(home),
        )


def _service_folder(home: Home, dice: np.random.Generator) -> Path:
    """The demo's service as a folder that can be trained: its three files, and a table made for it."""
    folder = home.made().root / "demo"
    shutil.copytree(
        Path(story.__file__).parent / "service", folder / SERVICE, ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "faults").mkdir()
    history(dice, HISTORY_ROWS).write_parquet(folder / SERVICE / "transactions.parquet")
    return folder


def _alarm(world: World) -> None:
    world.processes.check()
    if world.load is not None:
        world.load.check()


def _approve(home: Home, service: str, why: str) -> bool:
    """Through the ledger, as `flyball approve` does it. False: somebody wrote in between; to be asked again."""
    with ledger_of(home) as ledger:
        try:
            approve(ledger, service, APPROVER, why)
        except Conflict:
            return False
    return True


def _look_at_ledger(home: Home) -> LedgerSeen:
    found = audit(home)
    return LedgerSeen(events=found.events, verified=found.ok, reason=found.reason)
