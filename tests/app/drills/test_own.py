"""Real drills: processes, requests, faults, and what the product said of them. The fastest in CI, all of them slow."""

import asyncio
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.app.command import FLYBALL, tree

from flyball.adapters.clock import SystemClock
from flyball.app import drills
from flyball.app.demo.observe import Follower
from flyball.app.demo.traffic import history
from flyball.app.drills.clients import Clients, Told
from flyball.app.drills.fault import DrillFault, by_the_word
from flyball.app.drills.faults import FAULTS
from flyball.app.drills.lease import lease_path, read_lease
from flyball.app.drills.report import DrillRow
from flyball.app.home import Home
from flyball.app.people import Person
from flyball.app.wiring.drills.driver import Driver
from flyball.app.wiring.drills.own import GATEWAY, OwnStage
from flyball.app.wiring.drills.rows import MadeUp
from flyball.app.wiring.drills.run import read_report, run
from flyball.app.wiring.drills.running import KEY_VARIABLE
from flyball.app.wiring.drills.turns import Wanted
from flyball.app.wiring.ledger import audit, ledger_of, open_ledger
from flyball.app.wiring.serving.key_file import add
from flyball.app.wiring.serving.newest_windows import NewestWindows
from flyball.core import events as e
from flyball.core.seen_windows import SeenWindow


def facts_of(home: Path) -> list[e.AnyFact]:
    ledger = open_ledger(Home(home))
    facts = [entry.fact for entry in ledger.read()]
    ledger.close()
    return facts


def test_a_full_disk_and_a_key_that_ran_out_are_seen_and_over_and_written_down(tmp_path: Path) -> None:
    said: list[str] = []
    home = Home(tmp_path / "home")
    wanted = Wanted(faults=("disk_full", "expired_key"), rate=20.0, warm_s=1.0, small=True)
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
    assert sum(row["answers_shed"] for row in rows) == 0, "an answer that is shed is lost, too"


@pytest.mark.slow
def test_a_drill_of_nothing_sees_nothing(tmp_path: Path) -> None:
    """What tells of the faults does not tell by itself: half a minute of the same service, and nobody breaks it."""
    told_by = tuple(sorted({each for fault in FAULTS.values() for each in fault.told_by}))
    nothing = DrillFault(name="nothing", what="nothing", share=0.05, told_by=told_by, inject=by_the_word)

    async def made() -> DrillRow:
        home = Home(tmp_path / "home")
        with ledger_of(home) as ledger:
            own = OwnStage(home, ledger, rate=120.0)
            async with own.running() as stage:
                await windows_known(home, 6, stage.clients.check)
                ada = Person(name="ada", proof="os_user")
                driver = Driver(stage, ledger, lease_path(home), ada, own.watchers)
                return await driver.drill(nothing, "dr-1", share=0.05, within_s=15)

    row = asyncio.run(made())
    assert (row.detected_s, row.detected_by, row.outcome) == (None, "", "missed")
    assert row.answers["failed"] == 0


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
    assert set(ended[0].figures) == {"drill_rpo_s", "rto_s", "facts_lost"}  # nobody had laid this home aside


@pytest.mark.slow
def test_a_disaster_of_a_running_service_takes_what_came_after_the_newest_whole_backup(tmp_path: Path) -> None:
    home, aside = tmp_path / "home", tmp_path / "aside"
    with running(tmp_path, home):
        for name in ("kept", "rotten"):
            lay = [*FLYBALL, "backup", "--out", str(aside / name), "--json", "--home", str(home)]
            assert subprocess.run(lay, capture_output=True, check=False).returncode == 0
        (aside / "rotten/ledger.db").write_bytes(b"")
        command = [*FLYBALL, "drill", "disaster", "--json", "--yes", "--home", str(home)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["newest_backup"] == str(aside / "kept")
    assert found["backups_gone"] == [f"{aside / 'rotten'}: ledger.db is another file than was laid aside"]
    assert found["newest_facts_lost"] >= 3  # that two backups were made, and that the drill began
    assert 0 < found["drill_rpo_s"] + found["rpo_s"] < 600


@pytest.mark.slow
def test_a_fault_ends_though_its_driver_was_killed(tmp_path: Path) -> None:
    """Its requests end with it, the kernel gives the lock of the ledger back, and the rest is aborted."""
    home = tmp_path / "home"
    with running(tmp_path, home):
        drill = [*FLYBALL, "drill", "ledger-gone", "--within", "60s", "--yes", "--home", str(home)]
        with subprocess.Popen(drill) as driver:
            deadline = time.monotonic() + 120
            while read_lease(lease_path(Home(home))) is None:
                assert time.monotonic() < deadline
                assert driver.poll() is None
            driver.send_signal(signal.SIGKILL)
        for words in (["freeze", "fraud", "--why", "x"], ["drill", "abort"]):  # the lock went with its holder
            assert subprocess.run([*FLYBALL, *words, "--home", str(home)], check=False).returncode == 0
        ended = [fact for fact in facts_of(home) if isinstance(fact, e.DrillEnded)]
        assert [fact.outcome for fact in ended] == ["aborted"]


@pytest.mark.slow
def test_a_running_service_is_drilled_beside_its_own_clients(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(tmp_path, home) as url:
        told, report = asyncio.run(_beside_clients(url, home))
    (row,) = report["drills"]
    assert row["detected_s"] is not None, report
    assert row["recovered_s"] is not None, report
    assert row["answers_failed"] == 0
    assert told.outcomes["refused"] == told.outcomes["failed"] == 0  # nobody else's requests were touched
    sent = sum(row["answers"].values())
    assert 0 < sent < 0.5 * told.sent
    # red before: the rate of the clients was read as 0, so that every drill sent one row a second, whatever its share
    assert sent > 0.1 * 80 * row["waited_s"], "a fifth of the traffic, of which the clients send 80 rows a second"


@pytest.mark.slow
def test_a_key_that_a_running_gateway_refuses_is_seen_and_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, file, log = tmp_path / "home", tmp_path / "gateway.yaml", tmp_path / "log"
    file.write_text(GATEWAY)
    scopes = ("fraud:predict", "fraud:labels", "*:metrics", "*:admin")
    key, _ = add(tmp_path / "keys.json", scopes, days=None, rate_rps=None, note="drill")
    monkeypatch.setenv(KEY_VARIABLE, key)
    words = [*FLYBALL, "up", _service(tmp_path), "--allow-drills", "--gateway", str(file), "--port", "0", "--json"]
    with log.open("w") as stderr:
        up = subprocess.Popen([*words, "--home", str(home)], stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert up.stdout is not None
    try:
        told = ""
        while not told.rstrip().endswith("}"):
            line = up.stdout.readline()
            assert line, log.read_text()
            told += line
        drill = [*FLYBALL, "drill", "expired-key", "--within", "30s", "--yes", "--json", "--home", str(home)]
        done = subprocess.run(drill, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (row,) = json.loads(done.stdout)["drills"]
        assert (row["outcome"], row["answers_failed"], row["answers"]["refused"] > 0) == ("passed", 0, True), row
        again = subprocess.run(drill, capture_output=True, text=True, check=False)
        assert again.returncode == 3  # the gateway says a thing once in its life
        assert "has done so in" in " ".join(again.stdout.split())
    finally:
        up.terminate()
        up.wait(60)
        up.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", ["latency", "upstream-stall", "memory-leak", "crash-loop", "disk-full", "bad-candidate"]
)
def test_what_strikes_processes_and_answers_is_made_beside_clients_too(tmp_path: Path, fault: str) -> None:
    home = tmp_path / "home"
    with running(tmp_path, home) as url:
        told, report = asyncio.run(_beside_clients(url, home, fault))
    (row,) = report["drills"]
    assert (row["outcome"], row["answers_failed"]) == ("passed", 0), report
    assert told.outcomes["refused"] == told.outcomes["failed"] == 0


@pytest.mark.slow
def test_all_faults_are_made_beside_clients_in_one_run(tmp_path: Path) -> None:
    """Red before: the run gave up after the first drill that left a relief standing, two of twelve."""
    home = tmp_path / "home"
    with running(tmp_path, home) as url:
        told, report = asyncio.run(_beside_clients(url, home, "all"))
    assert [one["fault"] for one in report["left_out"]] == ["expired_key"], "the gateway asks for no keys"
    rows = report["drills"]
    assert {row["fault"] for row in rows} == FAULTS.keys() - {"expired_key"}
    assert [row["fault"] for row in rows if row["outcome"] != "passed"] == []
    assert sum(row["answers_failed"] + row["answers_shed"] for row in rows) == 0
    assert told.outcomes["refused"] == told.outcomes["failed"] == 0


async def windows_known(home: Home, many: int, check: Callable[[], None]) -> None:
    """The monitor has told of so many windows: a drill is judged against them. `check`: raises if none will come."""
    newest = NewestWindows(home, print)

    def look() -> SeenWindow | None:
        found = newest("fraud")
        return found if found is not None and found.report.index + 1 >= many else None

    await Follower(lambda _: (), check).wait(look, what=f"window {many}", within_s=120.0)


async def _beside_clients(url: str, home: Path, fault: str = "schema-break") -> tuple[Told, dict[str, Any]]:
    """Clients at a steady pace, and meanwhile a drill; what they and the drill counted."""
    dice, clock = np.random.default_rng(3), SystemClock()
    made = Clients(url, "fraud", MadeUp(dice, clock), dice, rate=80.0, honest=True, key="card_id")
    async with made:
        await windows_known(Home(home), 4, made.check)
        words = ("drill", fault, "--share", "0.2", "--within", "90s", "--yes", "--json", "--home", str(home))
        drill = await asyncio.create_subprocess_exec(*FLYBALL, *words, stdout=asyncio.subprocess.PIPE)
        out, _ = await drill.communicate()
        assert drill.returncode == 0, out
    return made.counts["honest"], json.loads(out)


@contextmanager
def running(folder: Path, home: Path) -> Iterator[str]:
    """`flyball up --allow-drills` of somebody's own service while the block runs; its URL."""
    with tree(_service(folder), "--allow-drills", "--home", home, ends_s=None) as told:
        yield str(told["url"])


def _service(folder: Path) -> str:
    """The drill's own service, as somebody's who runs it himself."""
    place = folder / "fraud"
    shutil.copytree(Path(drills.__file__).parent / "service", place)
    file = place / "service.yaml"
    file.write_text(file.read_text().replace("  people: {risk-lead: [approver], ml-oncall: [operator]}\n", ""))
    history(np.random.default_rng(1), 8000).write_parquet(place / "transactions.parquet")
    return str(place)
