"""The word of a drill: it ends by itself, at once where it is taken away, and nobody else's is taken away."""

import errno
import os
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.control.world import NAME, first_champion

from flyball.adapters.drill_word import DrillWord
from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.adapters.prediction_log.drilled_disk import DrilledDisk
from flyball.app.drills.lease import Allowed, allowed_path, lease_path, put, read_allowed, read_lease
from flyball.app.home import Home
from flyball.app.people import Person, states_of
from flyball.app.wiring.drills.run import allowing_up, running_up
from flyball.app.wiring.drills.turns import abort, end_left_over
from flyball.core import events as e
from flyball.core.drill_lease import DrillLease
from flyball.core.errors import Refused, Unavailable
from flyball.registry import chain

NOBODY = 2**22 + 1  # above the largest process id
ADA = Person(name="ada", proof="os_user")
BEGUN = e.DrillBegun(
    service=NAME,
    drill="dr-1",
    fault="disk_full",
    share=1.0,
    until="2999-01-01T00:00:00.000000Z",
    by="ada",
    proof="os_user",
)


def word(*, until: float, fault: str = "disk_full", driver: int | None = None) -> DrillLease:
    return DrillLease(
        drill="dr-1",
        fault=fault,
        service=NAME,
        share=1.0,
        until=until,
        driver=os.getpid() if driver is None else driver,
    )


def ledger_with(*facts: e.AnyFact) -> MemoryLedger:
    ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
    ledger.append([*first_champion(), *facts])
    return ledger


def ended(ledger: MemoryLedger) -> list[e.DrillEnded]:
    return [entry.fact for entry in ledger.read() if isinstance(entry.fact, e.DrillEnded)]


def test_a_full_disk_is_full_for_as_long_as_the_word_says_and_no_longer(tmp_path: Path) -> None:
    place = tmp_path / "drill.json"
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    disk = DrilledDisk(DrillWord(place, NAME, look_s=0.0))
    assert disk.write(file, memoryview(b"abc")) == 3
    put(place, word(until=time.time() + 60))
    with pytest.raises(OSError, match="a drill") as refused:
        disk.write(file, memoryview(b"abc"))
    assert refused.value.errno == errno.ENOSPC
    put(place, word(until=time.time() - 0.001))  # its driver was killed and took nothing away
    assert disk.write(file, memoryview(b"abc")) == 3
    put(place, replace(word(until=time.time() + 60), service="loan"))  # another one's log
    assert disk.write(file, memoryview(b"abc")) == 3
    put(place, word(until=time.time() + 60, fault="latency"))
    assert disk.write(file, memoryview(b"abc")) == 3
    os.close(file)


def test_an_abort_takes_the_word_away_and_leaves_the_end_to_a_driver_that_lives(tmp_path: Path) -> None:
    ledger, place = ledger_with(BEGUN), tmp_path / "drill.json"
    put(place, word(until=time.time() + 60))
    assert abort(ledger, place, ADA).drill == "dr-1"
    assert read_lease(place) is None
    assert ended(ledger) == []


def test_an_abort_ends_a_drill_whose_driver_is_gone(tmp_path: Path) -> None:
    ledger, place = ledger_with(BEGUN), tmp_path / "drill.json"
    put(place, word(until=time.time() + 60, driver=NOBODY))
    abort(ledger, place, ADA)
    assert [(each.outcome, each.drill) for each in ended(ledger)] == [("aborted", "dr-1")]
    assert states_of(ledger)[NAME].healing.drill is None


def test_nothing_to_abort_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no drill runs"):
        abort(ledger_with(), tmp_path / "drill.json", ADA)


def test_the_next_drill_ends_the_one_whose_driver_was_killed_and_no_other(tmp_path: Path) -> None:
    ledger, place = ledger_with(BEGUN), tmp_path / "drill.json"
    put(place, word(until=time.time() + 60))
    end_left_over(ledger, BEGUN, place)
    assert (ended(ledger), read_lease(place) is None) == ([], False)  # its driver lives
    put(place, word(until=time.time() + 60, driver=NOBODY))
    end_left_over(ledger, BEGUN, place)
    assert ([each.outcome for each in ended(ledger)], read_lease(place)) == (["aborted"], None)


def test_a_drill_of_which_only_the_fact_was_written_keeps_its_time(tmp_path: Path) -> None:
    ledger = ledger_with(BEGUN)
    end_left_over(ledger, BEGUN, tmp_path / "drill.json")
    assert ended(ledger) == []


def test_a_word_that_is_none_is_told(tmp_path: Path) -> None:
    place = tmp_path / "drill.json"
    place.write_text("{")
    with pytest.raises(Unavailable, match="cannot be read"):
        read_lease(place)
    with pytest.raises(Unavailable, match="cannot be read"):
        read_allowed(place)


def test_only_an_up_that_runs_and_allows_it_is_drilled(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert allowing_up(home) is None
    said = Allowed(pid=NOBODY, url="http://localhost", services={NAME: "service.yaml"}, allow_drills=False)
    put(allowed_path(home), said)
    assert running_up(home) is None  # it was killed, and left the file
    put(allowed_path(home), Allowed(pid=os.getpid(), url="", services={}, allow_drills=False))
    with pytest.raises(Unavailable, match="allows no drills"):
        allowing_up(home)
    put(allowed_path(home), Allowed(pid=os.getpid(), url="", services={}, allow_drills=True))
    assert allowing_up(home) is not None
    assert lease_path(home).parent == allowed_path(home).parent
