"""What the ledger costs on PostgreSQL: appends against a bare insert there, and against the ledger on SQLite.

A server of its own on this machine, which waits for its disk at each commit as SQLite does; one event a transaction, in
turns of a hundred. Then two writers at once, who share one chain, and an auditor.
"""

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests import postgres

from flyball.adapters.clock import SystemClock
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger
from flyball.registry import chain
from flyball.registry.verify import verify

TURNS, PER_TURN = 20, 100
BATCH = 100_000


def main() -> None:
    """Print the figures; both databases are on the disk of the temporary folder."""
    if postgres.programs_of_a_server() is None:
        print("left out: PostgreSQL's initdb is not there")
        return
    with postgres.server(durable=True) as folder, tempfile.TemporaryDirectory() as here:
        measure(postgres.place(folder), Path(here))


def measure(url: str, here: Path) -> None:
    import psycopg

    from flyball.adapters.ledger.postgres import PostgresLedger
    from flyball.adapters.ledger.postgres_audit import PostgresSnapshot

    with (
        closing(PostgresLedger(url, sealer=chain)) as served,
        closing(SqliteLedger(here / "ledger.db", sealer=chain, clock=SystemClock())) as file,
        psycopg.connect(url, autocommit=True) as bare,
    ):
        bare.execute("CREATE TABLE event(seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event TEXT)")
        seconds: dict[str, list[float]] = {"bare insert": [], "PostgreSQL": [], "SQLite": []}
        for _ in range(TURNS):
            begun = time.perf_counter()
            for _ in range(PER_TURN):
                bare.execute("INSERT INTO event(event) VALUES (%s)", ("x" * 80,))
            seconds["bare insert"].append(time.perf_counter() - begun)
            seconds["PostgreSQL"].append(_turn(served))
            seconds["SQLite"].append(_turn(file))
        reference = PER_TURN / statistics.median(seconds["bare insert"])
        for name, each in seconds.items():
            rate = PER_TURN / statistics.median(each)
            print(f"append, {name}: {rate:,.0f} events/s, {rate / reference:.2f} of the bare insert on PostgreSQL")
        begun = time.perf_counter()
        with ThreadPoolExecutor(2) as writers:
            turns = [writers.submit(_turn, served) for _ in range(TURNS)]
            for turn in turns:
                turn.result()
        print(f"append, two writers at once: {TURNS * PER_TURN / (time.perf_counter() - begun):,.0f} events/s")
        served.append([_fact()] * BATCH)
        begun = time.perf_counter()
        with PostgresSnapshot(served.url) as snapshot:
            verdict = verify(snapshot.rows(), snapshot.events(), snapshot.tip(), [])
        took = time.perf_counter() - begun
        print(
            f"verify: ok {verdict.ok}, {verdict.events:,} events in {took:.1f} s, {verdict.events / took:,.0f} events/s"
        )


def _turn(ledger: Ledger) -> float:
    begun = time.perf_counter()
    for _ in range(PER_TURN):
        ledger.append([_fact()])
    return time.perf_counter() - begun


def _fact() -> Frozen:
    return Frozen(service=ServiceName("fraud"), by="ann", why="the feed is late, as it was on every other day")
