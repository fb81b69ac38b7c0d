"""A drill is on the ledger from its beginning to its end, whatever ends it, and none begins beside another."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace
from tests.control.world import NAME, POLICY, first_champion

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.drills.fault import DrillFault, Stage, by_the_word
from flyball.app.drills.lease import lease_path, put
from flyball.app.drills.report import DrillReport, DrillRow
from flyball.app.home import Home
from flyball.app.people import Person, states_of
from flyball.app.wiring.drills import disaster, turns
from flyball.app.wiring.drills.driver import Driver
from flyball.app.wiring.drills.turns import Turns, Wanted
from flyball.core import events as e
from flyball.core.drill_lease import DrillLease
from flyball.core.errors import Refused, Unavailable
from flyball.core.ledger import Entry
from flyball.registry import chain

ADA = Person(name="ada", proof="os_user")
BEGUN = e.DrillBegun(
    service=NAME, drill="dr-1", fault="latency", share=0.05, until="2999-01-01T00:00:00Z", by="ada", proof="os_user"
)
NOTHING = DrillFault(name="latency", what="nothing", share=0.05, told_by=(), inject=by_the_word)


def ledger_with(*facts: e.AnyFact) -> MemoryLedger:
    ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
    ledger.append([*first_champion(), *facts])
    return ledger


def drills(ledger: MemoryLedger) -> list[tuple[str, str]]:
    found = [entry.fact for entry in ledger.read()]
    return [(fact.drill, fact.outcome) for fact in found if isinstance(fact, e.DrillEnded)]


class Quiet:
    """Clients that ask nothing: what is told of a drill here is not of its answers."""

    failures, repeated, honest = (), 0, True

    def anew(self) -> None: ...

    def check(self) -> None: ...

    def outcome(self, _: str) -> int:
        return 0


def driver(ledger: MemoryLedger, lease: Path) -> Driver:
    stage = cast(Stage, SimpleNamespace(service=NAME, clients=Quiet(), found={}, aim=lambda word: word, fallback=True))
    watchers: Any = SimpleNamespace(look=lambda now: [])
    return Driver(stage, ledger, lease, ADA, lambda: watchers)


def test_a_drill_that_cannot_be_prepared_is_aborted(tmp_path: Path) -> None:
    async def in_vain(_: Stage) -> None:
        raise Unavailable("no release came of it")

    ledger = ledger_with()
    made = driver(ledger, tmp_path / "drill.json")
    fault = DrillFault(name="latency", what="x", share=0.05, told_by=(), inject=by_the_word, prepare=in_vain)
    with pytest.raises(Unavailable):
        asyncio.run(made.drill(fault, "dr-2", share=0.05, within_s=0.1))
    assert drills(ledger) == [("dr-2", "aborted")]
    assert states_of(ledger)[NAME].healing.drill is None


def test_what_a_hand_mends_is_part_of_the_drill_and_told_with_it(tmp_path: Path) -> None:
    ledger = ledger_with()
    made, running = driver(ledger, tmp_path / "drill.json"), list[bool]()

    async def mended() -> str:
        running.append(states_of(ledger)[NAME].healing.drill is not None)
        return "the data were accepted"

    row = asyncio.run(made.drill(NOTHING, "dr-2", share=0.05, within_s=0.1, mended=mended))
    assert (row.automatic, row.by_hand, running) == (False, "the data were accepted", [True])
    assert drills(ledger) == [("dr-2", "missed")]


def test_the_end_of_another_drill_ends_not_the_one_that_runs() -> None:
    other = e.DrillEnded(service=NAME, drill="dr-0", fault="latency", outcome="aborted")
    assert states_of(ledger_with(BEGUN, other))[NAME].healing.drill == BEGUN
    assert states_of(ledger_with(BEGUN, replace(other, drill="dr-1")))[NAME].healing.drill is None


def a_disaster(ledger: MemoryLedger, folder: Path) -> disaster.Disaster:
    file = folder / "service.yaml"
    return disaster.Disaster(Home(folder), ledger, file, NAME, ADA, lambda words: None, own=True)


def test_no_disaster_beside_another_drill(tmp_path: Path) -> None:
    ledger = ledger_with(BEGUN)
    with pytest.raises(Refused, match="dr-1"):
        asyncio.run(a_disaster(ledger, tmp_path).drill({}))
    assert (drills(ledger), states_of(ledger)[NAME].healing.drill) == ([], BEGUN)


def test_no_disaster_beside_a_drill_of_another_service_of_the_home(tmp_path: Path) -> None:
    word = DrillLease(drill="dr-7", fault="latency", service="loan", share=0.1, until=4e9, driver=os.getpid())
    put(lease_path(Home(tmp_path)), word)
    ledger = ledger_with()
    with pytest.raises(Refused, match=r"dr-7 \(latency\) of loan runs"):
        asyncio.run(a_disaster(ledger, tmp_path).drill({}))
    assert drills(ledger) == []


def test_a_disaster_that_cannot_be_made_is_aborted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(disaster, "backup", full)
    ledger = ledger_with()
    with pytest.raises(OSError, match="no space"):
        asyncio.run(a_disaster(ledger, tmp_path).drill({}))
    assert [outcome for _, outcome in drills(ledger)] == ["aborted"]


def test_what_hits_the_whole_home_is_bounded_on_a_running_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "ready", lambda *_, own: None)
    asked: list[float] = []

    async def drill(
        fault: DrillFault, name: str, *, share: float, within_s: float, watched_s: object, mended: object
    ) -> DrillRow:
        assert mended is None
        asked.append(within_s)
        return DrillRow(fault=fault.name, detected_s=None, recovered_s=None, answers_failed=0, automatic=False)

    ledger = ledger_with()
    made: Any = SimpleNamespace(drill=drill, lease=tmp_path / "drill.json")
    running = turns_of(ledger, made, own=False)
    asyncio.run(running.all(Wanted(faults=("ledger_gone", "schema_break"), within_s=500.0)))
    asyncio.run(running.all(Wanted(faults=("ledger_gone",), within_s=5.0)))
    assert asked == [30.0, 500.0, 5.0]


def turns_of(ledger: MemoryLedger, made: Any, *, own: bool) -> Turns:
    stage = cast(Stage, SimpleNamespace(service=NAME, why_not=dict))
    return Turns(ledger, stage, made, ADA, lambda words: None, own=own)


def test_what_stands_against_the_next_fault_ends_the_run_and_not_its_report(tmp_path: Path) -> None:
    ledger = ledger_with()
    broken = e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="it stays")

    async def drill(fault: DrillFault, name: str, **_: Any) -> DrillRow:
        ledger.append([broken])
        return DrillRow(fault=fault.name, detected_s=1.0, recovered_s=None, answers_failed=0, automatic=False)

    made = SimpleNamespace(drill=drill, lease=tmp_path / "drill.json")
    wanted = Wanted(faults=("nan_burst", "schema_break", "latency"))
    rows, left_out = asyncio.run(turns_of(ledger, made, own=True).all(wanted))
    assert [row.fault for row in rows] == ["nan_burst"]
    assert [(each.fault, each.refused, "in-1 is open" in each.why) for each in left_out] == [
        ("schema_break", True, True),
        ("latency", True, True),
    ]
    assert not DrillReport(drills=rows, left_out=left_out).complete
    with pytest.raises(Refused, match="in-1 is open"):  # nothing was done yet
        asyncio.run(turns_of(ledger, made, own=True).all(wanted))


def test_a_hand_mends_what_stays_and_says_what_it_could_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "QUIET_S", 0.0)
    broken = e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="it stays")
    said = {"metadata": {"name": NAME, "owner": "risk", "people": {"ada": ["approver"]}}}
    ledger = ledger_with(e.ServiceDeclared(service=NAME, policy=POLICY, declaration=said, folder="fraud"), broken)
    running = turns_of(ledger, SimpleNamespace(lease=tmp_path / "drill.json"), own=True)
    assert asyncio.run(running._mended()) == "the data were accepted"
    assert states_of(ledger)[NAME].incident is None
    assert asyncio.run(running._mended()) == ""

    def refuses(*_: object) -> tuple[Entry, ...]:
        raise Refused("not now")

    monkeypatch.setattr(turns, "approve", refuses)
    ledger.append([replace(broken, incident="in-2")])
    assert asyncio.run(running._mended()) == "not mended: not now"
