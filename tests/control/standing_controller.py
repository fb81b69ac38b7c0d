"""A controller as a process of its own: the real reconciler on a real ledger, a gateway that is a file.

python -m tests.control.standing_controller FOLDER OWNER LEASE_S: ticks until told to stop, a line on standard output a
tick: `plan`, or `none` where another holds the lease.
"""

import fcntl
import json
import sys
import time
from pathlib import Path

import msgspec
from tests.control.loop import Learner, Sensor
from tests.control.world import service

from flyball.adapters.clock import SystemClock
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import open_ledger
from flyball.control.reconcile import Reconciler
from flyball.core.errors import StaleEpoch
from flyball.core.routing import Observed, Routing


class FileGateway:
    """What a gateway does with an order, shared by all processes: a lower epoch is refused, each order is noted."""

    def __init__(self, folder: Path, owner: str) -> None:
        self._file, self._owner = folder / "gateway.jsonl", owner

    def apply(self, key: str, routing: Routing) -> None:
        with self._file.open("a+") as noted:
            fcntl.flock(noted, fcntl.LOCK_EX)
            noted.seek(0)
            orders = [json.loads(line) for line in noted]
            if orders and routing.epoch < orders[-1]["routing"]["epoch"]:
                raise StaleEpoch(f"{routing.epoch} is old")
            told = {"by": self._owner, "key": key, "routing": msgspec.to_builtins(routing)}
            noted.write(json.dumps(told) + "\n")

    def recycle(self, key: str, service: str, epoch: int) -> None:
        raise NotImplementedError

    def observe(self, service: str) -> Observed:
        orders = self._file.read_text().splitlines() if self._file.exists() else []
        held = msgspec.convert(json.loads(orders[-1])["routing"], Routing) if orders else None
        return Observed(routing=held, counts=None)


def main(folder: Path, owner: str, lease_s: float) -> None:
    ledger = open_ledger(Home(folder), told=False)
    loop = Reconciler(
        service(),
        ledger=ledger,
        gateways=FileGateway(folder, owner),
        sensor=Sensor(),
        learner=Learner(ledger),  # type: ignore[arg-type]
        clock=SystemClock(),
        owner=owner,
        lease_s=lease_s,
    )
    while not (folder / "stop").exists():
        print("none" if loop.tick() is None else "plan", flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
