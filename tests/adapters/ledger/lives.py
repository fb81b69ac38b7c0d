"""A process that lives many times: at each line it forks, and the child appends a batch and dies at a given call.

python lives.py URL, then lines `NAME CALL` on standard input; answers `NAME killed` or `NAME done`. A call is one
statement to the server; the child kills itself before the CALL-th of them, or after the last.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import psycopg

from flyball.adapters.ledger.postgres import PostgresLedger
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.core.ledger import Command, Message
from flyball.registry import chain


def batch(ledger: PostgresLedger, name: str) -> int:
    """Everything that one append can carry; how many entries were new."""
    facts = [Frozen(service=ServiceName("fraud"), by=name, why=str(number)) for number in range(2)]
    command = Command(key=name, kind="train", subject="fraud", body={})
    message = Message(id=name, destination="alerts", body={})
    ids = [f"{name}-0", f"{name}-1"]
    return len(ledger.append(facts, ids=ids, commands=[command], outbox=[message], finished=["first"]))


def life(url: str, name: str, dies_at: int) -> None:
    calls = 0

    def counted(plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(*args, **options)

        return call

    ledger = PostgresLedger(url, sealer=chain)
    psycopg.Connection.execute = counted(psycopg.Connection.execute)  # type: ignore[method-assign]
    psycopg.Cursor.executemany = counted(psycopg.Cursor.executemany)  # type: ignore[method-assign]
    batch(ledger, name)
    if calls == dies_at - 1:
        os.kill(os.getpid(), signal.SIGKILL)


def main(url: str) -> None:
    for line in sys.stdin:
        name, dies_at = line.split()
        child = os.fork()
        if child == 0:
            life(url, name, int(dies_at))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), status
        print(name, "killed" if status else "done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
