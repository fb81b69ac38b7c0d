"""A writer that is killed between two statements, or stopped past its lease: on PostgreSQL as on SQLite."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres
from tests.adapters.ledger import lives

from flyball.app.home import Home
from flyball.app.wiring.ledger import audit, use
from flyball.app.wiring.ledger_place import OpenLedger, open_ledger
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.core.ledger import Command

ROOT = Path(__file__).parents[3]
ANSWER_S = 60
# begin, tip, ids, entries, tip, ids, command, finished, message, commit; SQLite looks for each id and writes each row
CALLS = {"postgres": 10, "sqlite": 13}


@pytest.fixture(params=sorted(CALLS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    if kind == "postgres":
        use(made, postgres.place(request.getfixturevalue("postgres_server")))
    return made


@pytest.fixture
def ledger(home: Home) -> Iterator[OpenLedger]:
    made = open_ledger(home, told=False)
    yield made
    made.close()


def test_a_writer_killed_between_any_two_statements_leaves_all_or_nothing(
    kind: str, home: Home, ledger: OpenLedger
) -> None:
    ledger.append([], commands=[Command(key="first", kind="train", subject="fraud", body={})])
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.ledger.lives", str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    there, ends = 0, []
    for point in range(1, 100):
        name = f"life-{point}"
        child.stdin.write(f"{name} {point}\n")
        child.stdin.flush()
        _, end = child.stdout.readline().split()
        if end == "done":
            break
        verdict = audit(home)
        assert verdict.ok, verdict.reason
        committed = verdict.events - there
        ends.append(committed)
        assert len(ledger.pending(1000)) == (there + committed) // 2  # its message came with it, or did not
        assert lives.batch(ledger, name) == 2 - committed  # the next try: what is missing, nothing twice
        there += 2
        assert ledger.head().size == there
    child.stdin.close()
    assert child.wait(ANSWER_S) == 0
    assert ends == [0] * CALLS[kind] + [2]  # before each, and after the last
    assert audit(home).ok


PAUSED = """
import os, signal, sys
from pathlib import Path
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import open_ledger
from flyball.core.errors import StaleEpoch
from flyball.core.events import Frozen
ledger = open_ledger(Home(Path(sys.argv[1])))
held = ledger.lease("controller", "paused", ttl_s=0.5)
print("holds", held.epoch, flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
try:
    ledger.append([Frozen(service="fraud", by="paused", why="too late")], fence=held)
except StaleEpoch as error:
    print("refused", error, flush=True)
ledger.close()
"""


def test_a_holder_that_was_stopped_past_its_lease_cannot_commit(home: Home, ledger: OpenLedger) -> None:
    paused = subprocess.Popen([sys.executable, "-c", PAUSED, str(home.root)], stdout=subprocess.PIPE, text=True)
    assert paused.stdout is not None
    assert paused.stdout.readline() == "holds 1\n"
    _, status = os.waitpid(paused.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    asked = (ledger.lease("controller", "fresh", ttl_s=60) for _ in range(1_000_000))
    taken = next((lease for lease in asked if lease is not None), None)  # by the database's clock, or the machine's
    assert taken is not None
    assert taken.epoch == 2
    ledger.append([Frozen(service=ServiceName("fraud"), by="ann", why="the new one")], fence=taken)
    os.kill(paused.pid, signal.SIGCONT)
    assert "lost it to fresh, epoch 2" in paused.stdout.read()
    assert paused.wait(ANSWER_S) == 0
    assert [entry.seq for entry in ledger.read()] == [1]
    assert audit(home).ok
