"""The ledger's file under many writers, kills, full disks and strangers."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.adapters.ledger.sqlite_audit import Snapshot
from flyball.adapters.ledger.sqlite_schema import connect_to_read, translated
from flyball.app.home import Home
from flyball.app.wiring.ledger import audit, open_ledger
from flyball.core.errors import BadInput, LedgerBroken, Unavailable
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.core.ledger import Command, Message
from flyball.registry import chain

APPEND = """
import sys
from pathlib import Path
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.core.events import Frozen
home, name, count = Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
with ledger_of(home) as ledger:
    for number in range(count):
        id_ = f"{name}-{number}"
        (entry,) = ledger.append([Frozen(service=name, by="test", why=id_)], ids=[id_])
        print(entry.seq, id_, flush=True)
"""


def writer(home: Home, name: str, count: int) -> subprocess.Popen[str]:
    """A process that appends and says which entries were acknowledged."""
    order = [sys.executable, "-c", APPEND, str(home.root), name, str(count)]
    return subprocess.Popen(order, stdout=subprocess.PIPE, text=True)


def acknowledged(child: subprocess.Popen[str]) -> list[tuple[int, str]]:
    """The lines that are left; one that the kill cut off was never acknowledged whole."""
    assert child.stdout is not None
    lines = child.stdout.read().split("\n")[:-1]
    return [(int(seq), id_) for seq, id_ in (line.split() for line in lines)]


def fact(why: str, service: str = "fraud") -> Frozen:
    return Frozen(service=ServiceName(service), by="ann", why=why)


def ledger_at(path: Path, *, max_pages: int | None = None, busy_s: float = 30.0) -> SqliteLedger:
    return SqliteLedger(path, sealer=chain, clock=SimulatedClock(), max_pages=max_pages, busy_s=busy_s)


def test_four_processes_append_a_thousand_each_and_none_is_lost(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    children = [writer(home, name, 1000) for name in "abcd"]  # the four also race to make file and key
    said: list[list[tuple[int, str]]] = [[] for _ in children]
    readers = [
        threading.Thread(target=lambda into, child: into.extend(acknowledged(child)), args=pair)
        for pair in zip(said, children, strict=True)
    ]
    for reader in readers:
        reader.start()
    while any(child.poll() is None for child in children):
        if home.ledger.exists():
            verdict = audit(home)  # an auditor who looks while they write
            assert verdict.ok, verdict.reason
    for reader in readers:
        reader.join()
    assert [child.returncode for child in children] == [0, 0, 0, 0]
    verdict = audit(home)
    assert (verdict.ok, verdict.events, verdict.anchored_to) == (True, 4000, 4000)
    assert sorted(seq for part in said for seq, _ in part) == list(range(1, 4001))
    ledger = open_ledger(home)
    for name, part in zip("abcd", said, strict=True):
        entries = list(ledger.read(subject=name))
        assert [(entry.seq, entry.fact.why) for entry in entries if isinstance(entry.fact, Frozen)] == part
    ledger.close()


def killed_while_appending(home: Home, kills: int) -> None:
    """Each time another process appends and dies at a line drawn beforehand; all that it said is there."""
    draw = random.Random(5)
    promised: list[tuple[int, str]] = []
    for kill in range(kills):
        child = writer(home, f"life-{kill}", 10**6)
        assert child.stdout is not None
        for _ in range(draw.randint(1, 40)):
            seq, id_ = child.stdout.readline().split()
            promised.append((int(seq), id_))
        os.kill(child.pid, signal.SIGKILL)
        promised += acknowledged(child)
        assert child.wait() == -signal.SIGKILL
        verdict = audit(home)
        assert verdict.ok, verdict.reason
        ledger = open_ledger(home)
        found = {(entry.seq, entry.fact.why) for entry in ledger.read() if isinstance(entry.fact, Frozen)}
        ledger.close()
        assert found.issuperset(promised)
        assert len(found) <= len(promised) + kill + 1  # at most one a life was written and not yet said


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    killed_while_appending(Home(tmp_path / "home"), kills=3)


@pytest.mark.slow
def test_what_was_acknowledged_survives_twenty_kills(tmp_path: Path) -> None:
    killed_while_appending(Home(tmp_path / "home"), kills=20)


def test_threads_share_one_ledger(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path / "ledger.db")

    def work(name: str) -> None:
        for number in range(25):
            ledger.append([fact(str(number), name)], expected=None, ids=[f"{name}-{number}"])

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.head().size == 150
    ledger.close()
    assert audit(Home(tmp_path)).ok


def test_a_full_disk_refuses_whole_appends_and_harms_nothing(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path / "ledger.db", max_pages=40)
    written = 0

    def fill() -> None:
        nonlocal written
        while True:
            command = Command(key=str(written), kind="train", subject="fraud", body={})
            message = Message(id=str(written), destination="alerts", body={})
            ledger.append([fact("x" * 500), fact("y" * 500)], commands=[command], outbox=[message])
            written += 1

    with pytest.raises(Unavailable, match="full") as caught:
        fill()
    assert "free space" in caught.value.hint
    assert ledger.head().size == 2 * written > 0
    assert len(ledger.pending(1000)) == written
    ledger.close()
    assert audit(Home(tmp_path)).ok
    roomier = ledger_at(tmp_path / "ledger.db")
    assert roomier.append([fact("there is room again")])[0].seq == 2 * written + 1
    roomier.close()


def test_a_ledger_that_another_holds_is_unavailable_and_says_so(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path / "ledger.db", busy_s=0)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked") as caught:
        ledger.append([fact("while another writes")])
    assert "another process holds the ledger" in caught.value.hint
    assert ledger.head().size == 0  # readers never wait
    other.execute("ROLLBACK")
    other.close()
    assert ledger.append([fact("now")])[0].seq == 1
    ledger.close()


def test_who_opens_to_read_cannot_write(tmp_path: Path) -> None:
    ledger_at(tmp_path / "ledger.db").close()
    reader = connect_to_read(tmp_path / "ledger.db")
    with pytest.raises(Unavailable, match="readonly") as caught, translated(tmp_path / "ledger.db"):
        reader.execute("DELETE FROM ledger")
    assert "right to write" in caught.value.hint
    reader.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Unavailable, match="File exists") as caught:
        ledger_at(tmp_path / "file" / "ledger.db")
    assert caught.value.hint.startswith("check folder")


def test_a_stranger_s_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    stranger = tmp_path / "ledger.db"
    connection = sqlite3.connect(stranger)
    connection.execute("CREATE TABLE theirs(x)")
    connection.close()
    before = stranger.read_bytes()
    with pytest.raises(BadInput, match="application_id"):
        ledger_at(stranger)
    assert stranger.read_bytes() == before
    stranger.write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    with pytest.raises(BadInput, match="expected a SQLite database"):
        ledger_at(stranger)


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    ledger_at(tmp_path / "ledger.db").close()
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Unavailable, match="layout 99") as caught:
        ledger_at(tmp_path / "ledger.db")
    assert caught.value.hint == "upgrade flyball"


def test_the_file_is_private_to_its_owner_and_keeps_what_it_promises(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path / "ledger.db")
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600
    ledger.close()
    connection = sqlite3.connect(tmp_path / "ledger.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(ledger)")]
    assert columns == ["seq", "at", "type", "subject", "event", "prev_hash", "hash"]
    connection.close()


def test_a_snapshot_does_not_see_what_comes_later(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path / "ledger.db")
    ledger.append([fact("before")])
    with Snapshot(tmp_path / "ledger.db") as snapshot:
        assert snapshot.events() == 1
        ledger.append([fact("after")])
        tip = snapshot.tip()
        assert tip is not None
        assert (snapshot.events(), tip.size, len(list(snapshot.rows()))) == (1, 1, 1)
    ledger.close()


def test_a_damaged_page_is_reported_as_broken_with_the_first_entry_on_it(tmp_path: Path) -> None:
    ledger = ledger_at(tmp_path / "ledger.db")
    ledger.append([fact("x" * 200) for _ in range(200)])
    ledger.close()
    file = tmp_path / "ledger.db"
    data = bytearray(file.read_bytes())
    page = data.index(b"x" * 200) // 4096  # the page that holds an entry: all of it is lost
    data[page * 4096 : (page + 1) * 4096] = b"\xff" * 4096
    file.write_bytes(data)
    verdict = audit(Home(tmp_path))
    assert not verdict.ok
    assert verdict.first_bad is not None
    assert "cannot be read" in str(verdict.reason)
    damaged = ledger_at(file)
    with pytest.raises(LedgerBroken, match="damaged"):
        list(damaged.read())
    damaged.close()
