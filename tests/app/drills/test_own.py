"""Real drills: processes, requests, faults, and what the product said of them. The fastest in CI, all of them slow."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flyball.app.drills.faults import FAULTS
from flyball.app.drills.lease import lease_path, read_lease
from flyball.app.home import Home
from flyball.app.people import Person
from flyball.app.wiring.drills.run import read_report, run
from flyball.app.wiring.drills.turns import Wanted
from flyball.app.wiring.ledger import audit, open_ledger
from flyball.core import events as e

FLYBALL = [sys.executable, "-m", "flyball.app.cli"]


def facts_of(home: Path) -> list[e.AnyFact]:
    ledger = open_ledger(Home(home))
    facts = [entry.fact for entry in ledger.read()]
    ledger.close()
    return facts


def test_a_full_disk_and_a_key_that_ran_out_are_seen_and_over_and_written_down(tmp_path: Path) -> None:
    said: list[str] = []
    home = Home(tmp_path / "home")
    wanted = Wanted(faults=("disk_full", "expired_key"), rate=20.0, warm_s=1.0)
    report = run(home, wanted, Person(name="ada", proof="os_user"), said.append)
    rows = {row.fault: row for row in report.drills}
    assert rows.keys() == {"disk_full", "expired_key"}
    for row in rows.values():
        assert row.outcome == "passed", row
        assert row.automatic
        assert row.answers_failed == 0
        assert row.answers["ok"] > 0
    assert rows["disk_full"].detected_by.startswith("signal/capture")
    assert rows["expired_key"].answers["refused"] > 0
    assert read_report(Path(report.report).with_suffix(".json")) == report
    facts = facts_of(home.root)
    assert [fact.fault for fact in facts if isinstance(fact, e.DrillBegun)] == ["disk_full", "expired_key"]
    assert [fact.outcome for fact in facts if isinstance(fact, e.DrillEnded)] == ["passed", "passed"]
    assert read_lease(lease_path(home)) is None
    assert audit(home).ok


@pytest.mark.slow
def test_every_fault_is_seen_most_are_over_with_no_hand_and_no_answer_is_lost(tmp_path: Path) -> None:
    command = [*FLYBALL, "drill", "all", "--json", "--home", str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    rows: list[dict[str, Any]] = json.loads(done.stdout)["drills"]
    assert [row["fault"] for row in rows] == list(FAULTS)
    assert [row["fault"] for row in rows if row["detected_s"] is None] == []
    assert sum(row["automatic"] for row in rows) >= 0.8 * len(rows)
    assert sum(row["answers_failed"] for row in rows) == 0


@pytest.mark.slow
def test_a_disaster_loses_nothing_that_was_laid_aside(tmp_path: Path) -> None:
    command = [*FLYBALL, "drill", "disaster", "--json", "--home", str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert (found["ok"], found["verified"], found["differences"]) == (True, True, [])
    assert found["reproduced"] in ("IDENTICAL", "EQUIVALENT")
    ended = [fact for fact in facts_of(tmp_path / "home") if isinstance(fact, e.DrillEnded)]
    assert [(fact.fault, fact.outcome) for fact in ended] == [("disaster", "passed")]
    assert set(ended[0].figures) == {"rpo_s", "rto_s", "facts_lost"}


@pytest.mark.slow
def test_a_fault_ends_though_its_driver_was_killed(tmp_path: Path) -> None:
    """`kill -9` of the driver takes the drill's own service along; on a running one whatever reads the word stops."""
    home = tmp_path / "home"
    up = [*FLYBALL, "up", _service(tmp_path), "--port", "0", "--allow-drills", "--json", "--home", str(home)]
    with subprocess.Popen(up, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            while '"url"' not in running.stdout.readline():
                assert running.poll() is None
            drill = [*FLYBALL, "drill", "ledger-gone", "--within", "60s", "--yes", "--home", str(home)]
            with subprocess.Popen(drill) as driver:
                deadline = time.monotonic() + 120
                while read_lease(lease_path(Home(home))) is None:
                    assert time.monotonic() < deadline
                    assert driver.poll() is None
                driver.send_signal(signal.SIGKILL)
            words = subprocess.run([*FLYBALL, "freeze", "fraud", "--why", "x", "--home", str(home)], check=False)
            assert words.returncode == 0  # the lock went with its holder
            again = subprocess.run([*FLYBALL, "drill", "abort", "--home", str(home)], check=False)
            assert again.returncode == 0
            ended = [fact for fact in facts_of(home) if isinstance(fact, e.DrillEnded)]
            assert [fact.outcome for fact in ended] == ["aborted"]
        finally:
            os.kill(running.pid, signal.SIGTERM)


def _service(folder: Path) -> str:
    """The drill's own service, as somebody's who runs it himself."""
    import shutil

    import numpy as np

    from flyball.app import drills
    from flyball.app.demo.traffic import history

    place = folder / "fraud"
    shutil.copytree(Path(drills.__file__).parent / "service", place)
    history(np.random.default_rng(1), 8000).write_parquet(place / "transactions.parquet")
    return str(place)
