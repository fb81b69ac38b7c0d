"""A file of an older layout is brought to this one when it is opened to write, and keeps everything."""

import sqlite3
import threading
from pathlib import Path

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.adapters.ledger.sqlite_schema import OUTBOX_2, SCHEMA, USER_VERSION, connect, connect_to_read
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.core.ledger import Message
from flyball.registry import chain


def layout_1(path: Path) -> Path:
    """As the version before wrote it: an outbox without attempts, and one message in it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    old = SCHEMA.replace(OUTBOX_2, "CREATE INDEX outbox_open ON outbox(number) WHERE NOT sent;")
    connection.executescript(old.replace(f"user_version = {USER_VERSION}", "user_version = 1"))
    connection.execute("INSERT INTO outbox(id, destination, body) VALUES ('m1', 'alerts', '{}')")
    connection.close()
    return path


def test_an_older_file_keeps_its_facts_and_messages_and_can_be_sent_from(tmp_path: Path) -> None:
    path = layout_1(tmp_path / "ledger.db")
    connect_to_read(path).close()  # a reader needs no migration, and makes none
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (1,)
    ledger = SqliteLedger(path, sealer=chain, clock=SimulatedClock())
    ledger.append([Frozen(service=ServiceName("fraud"), by="ann", why="x")])
    assert ledger.pending() == (Message(id="m1", destination="alerts", body={}),)
    ledger.record("m1", "failed", "HTTP 500", delay_s=5)
    assert ledger.next_due("alerts") is None
    ledger.close()
    assert structure(path) == structure(fresh(tmp_path / "new.db"))


def test_two_that_open_an_older_file_at_once_bring_it_over_once(tmp_path: Path) -> None:
    path, failed = layout_1(tmp_path / "ledger.db"), []

    def open_it() -> None:
        try:
            connect(path).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert structure(path) == structure(fresh(tmp_path / "new.db"))


def fresh(path: Path) -> Path:
    connect(path).close()
    return path


def structure(path: Path) -> tuple[object, ...]:
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2").fetchall()
    columns = [
        connection.execute(f"PRAGMA table_info({name})").fetchall() for kind, name, _ in names if kind == "table"
    ]
    version = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return names, columns, version
