"""A process that lives many times: at each line it forks, and the child appends a batch and dies at a given call.

python lives.py HOME, then lines `NAME CALL` on standard input; answers `NAME killed` or `NAME done`. A call is one
statement to the database; the child kills itself before the CALL-th of them, or after the last.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import OpenLedger, open_ledger
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.core.ledger import Command, Message


def batch(ledger: OpenLedger, name: str) -> int:
    """Everything that one append can carry; how many entries were new."""
    facts = [Frozen(service=ServiceName("fraud"), by=name, why=str(number)) for number in range(2)]
    command = Command(key=name, kind="train", subject="fraud", body={})
    message = Message(id=name, destination="alerts", body={})
    ids = [f"{name}-0", f"{name}-1"]
    return len(ledger.append(facts, ids=ids, commands=[command], outbox=[message], finished=["first"]))


def life(home: Home, name: str, dies_at: int) -> None:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    ledger = open_ledger(home, told=False)
    if isinstance(ledger, SqliteLedger):
        ledger._connection().set_trace_callback(count)  # as each statement begins
    else:
        before_each_call(count)
    batch(ledger, name)
    if calls == dies_at - 1:
        os.kill(os.getpid(), signal.SIGKILL)


def before_each_call(count: Callable[[], None]) -> None:
    import psycopg

    def counted(plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            count()
            return plain(*args, **options)

        return call

    psycopg.Connection.execute = counted(psycopg.Connection.execute)  # type: ignore[method-assign]
    psycopg.Cursor.executemany = counted(psycopg.Cursor.executemany)  # type: ignore[method-assign]


def main(home: Home) -> None:
    for line in sys.stdin:
        name, dies_at = line.split()
        child = os.fork()
        if child == 0:
            life(home, name, int(dies_at))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        print(name, "killed" if status else "done", flush=True)


if __name__ == "__main__":
    main(Home(Path(sys.argv[1])))
