"""What the ledger costs: appends against a bare SQLite insert of the same durability, and verify of a million entries.

Both sides write one event a transaction with the same journal (WAL) and the same `synchronous=FULL`, in one run, in
turns of a hundred, so that a disk that speeds up or slows down meanwhile does so for both.
"""

import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.app.home import Home
from flyball.app.wiring.ledger import audit, ledger_of
from flyball.core.codec import canonical
from flyball.core.errors import LedgerBroken
from flyball.core.events import SignalRaised
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger
from flyball.core.watching import Signal
from flyball.registry import chain

TURNS, PER_TURN = 40, 100
EVENTS, PER_APPEND = 1_000_000, 5_000


def main() -> None:
    """Print the figures; the folder is on the disk of the working directory, not in memory."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-ledger-") as folder:
        appends(Path(folder))
        verification(Path(folder))


def appends(folder: Path) -> None:
    """Events a second, one a transaction, and the ratio to the bare insert."""
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    bare.execute("CREATE TABLE event(seq INTEGER PRIMARY KEY, at TEXT, type TEXT, subject TEXT, event TEXT)")
    alone = SqliteLedger(folder / "alone.db", sealer=chain, clock=SystemClock())
    with ledger_of(Home(folder / "signed")) as signed:
        seconds: dict[str, list[float]] = {"bare": [], "ledger": [], "ledger, signed heads": []}
        for _ in range(TURNS):
            seconds["bare"].append(_bare_turn(bare))
            seconds["ledger"].append(_turn(alone))
            seconds["ledger, signed heads"].append(_turn(signed))
    alone.close()
    bare.close()
    reference = PER_TURN / statistics.median(seconds["bare"])
    for name, each in seconds.items():
        rate = PER_TURN / statistics.median(each)
        print(f"append, {name}: {rate:,.0f} events/s, {rate / reference:.2f} of the bare insert (target 0.33)")


def verification(folder: Path) -> None:
    """Seconds to verify a million entries."""
    home = Home(folder / "million")
    begun = time.perf_counter()
    with ledger_of(home) as ledger:
        for _ in range(EVENTS // PER_APPEND):
            ledger.append([_fact()] * PER_APPEND)
    loaded = time.perf_counter()
    verdict = audit(home)
    took = time.perf_counter() - loaded
    if not verdict.ok:
        raise LedgerBroken(f"the benchmark's own ledger does not verify: {verdict.reason}")
    print(f"load, {PER_APPEND} an append: {EVENTS / (loaded - begun):,.0f} events/s")
    size = home.ledger.stat().st_size / 1e6
    print(f"verify: {verdict.events:,} events ({size:,.0f} MB) in {took:.1f} s, {verdict.events / took:,.0f} events/s")


def _turn(ledger: Ledger) -> float:
    begun = time.perf_counter()
    for _ in range(PER_TURN):
        ledger.append([_fact()])
    return time.perf_counter() - begun


def _bare_turn(connection: sqlite3.Connection) -> float:
    row = ("2026-11-21T10:00:00.000000Z", "signal.raised", "fraud", canonical(_fact()).decode())
    begun = time.perf_counter()
    for _ in range(PER_TURN):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO event(at, type, subject, event) VALUES (?, ?, ?, ?)", row)
        connection.execute("COMMIT")
    return time.perf_counter() - begun


def _fact() -> SignalRaised:
    """A fact of the usual size, about 300 bytes."""
    signal = Signal(
        signal="psi",
        level="act",
        value=0.3127,
        limit=0.25,
        release="sha256:" + "0123456789abcdef" * 4,
        window=17,
        first_row=16_000,
        last_row=16_999,
        feature="amount",
        consecutive=3,
    )
    return SignalRaised(service=ServiceName("fraud"), signal=signal)


if __name__ == "__main__":
    main()
