"""Two controllers as processes: one is stopped in its tracks, overtaken, and revived. It can neither write nor move."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests import postgres
from tests.control.world import NAME, POLICY, SECOND, THIRD, first_champion, registered, service

from flyball.app.home import Home
from flyball.app.wiring.ledger import use
from flyball.app.wiring.ledger_place import open_ledger
from flyball.core import events as e

LEASE_S = {"one": 1.5, "two": 600.0}  # the second keeps it, however long it stands still itself


@contextmanager
def controller(folder: Path, owner: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.control.standing_controller", str(folder), owner, str(LEASE_S[owner])]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            yield process
        finally:
            (folder / "stop").touch()
            process.send_signal(signal.SIGCONT)
            process.wait(timeout=60)


def told(process: subprocess.Popen[str], word: str) -> None:
    """Wait for a tick that says so: some dozens come while a lease runs out, and no more."""
    assert process.stdout is not None
    for line in islice(process.stdout, 400):
        if line.strip() == word:
            return
    raise AssertionError(f"no tick said {word!r}")


@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
def test_a_controller_that_was_stopped_and_overtaken_changes_nothing_when_it_is_revived(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    if kind == "postgres":
        use(Home(tmp_path), postgres.place(request.getfixturevalue("postgres_server")))
    ledger = open_ledger(Home(tmp_path), told=False)
    declared, *others = first_champion()
    assert isinstance(declared, e.ServiceDeclared)
    people = {"metadata": {"name": NAME, "owner": "risk", "people": dict(service().metadata.people)}}
    ledger.append([replace(declared, declaration=people, policy=POLICY), *others])
    with controller(tmp_path, "one") as one:
        told(one, "plan")
        os.kill(one.pid, signal.SIGSTOP)
        with controller(tmp_path, "two") as two:
            told(two, "plan")  # after the lease of the first has run out
            ledger.append(registered(SECOND))  # something that both would act on
            os.kill(one.pid, signal.SIGCONT)
            told(one, "none")
            ledger.append(registered(THIRD))
            told(one, "none")
            for _ in range(10):
                told(two, "plan")
            orders = [json.loads(line) for line in (tmp_path / "gateway.jsonl").read_text().splitlines()]
            facts = [entry.fact for entry in ledger.read()]
            opened = [fact for fact in facts if isinstance(fact, e.RolloutOpened)]
            (tmp_path / "stop").touch()
    by_one = [order for order in orders if order["by"] == "one"]
    assert [order["routing"]["epoch"] for order in by_one] == [1]  # the first champion, before it was stopped
    assert len(opened) == 1
    ledger.close()
    assert [order["routing"]["epoch"] for order in orders] == sorted(order["routing"]["epoch"] for order in orders)
