"""`flyball drill all` on a running service: what a drill has left goes by itself, and only then the next one begins."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from tests.app.drills.test_lease import ADA, BEGUN, ended, ledger_with
from tests.app.drills.test_may import REMEDY
from tests.control.world import NAME, POLICY

from flyball.adapters.ledger.memory import MemoryLedger
from flyball.app.drills.fault import DrillFault
from flyball.app.drills.may import obstacles
from flyball.app.drills.report import DrillRow, LeftOut
from flyball.app.wiring.drills import turns
from flyball.app.wiring.drills.turns import Turns, Wanted
from flyball.app.wiring.drills.underway import underway
from flyball.core import events as e
from flyball.core.errors import Refused, Unavailable

FAULTS = ("nan_burst", "latency", "disk_full")
HELPED = e.RemedyVerified(service=NAME, remedy="re-1", helped="yes", why="errors are gone")
OVER = e.RemedyEnded(service=NAME, remedy="re-1", why="held long enough")
OPERATED = {"metadata": {"name": NAME, "owner": "risk", "people": {"ada": ["operator"]}}}
Leaves = Callable[[MemoryLedger], object]


class Made:
    """Each drill stands on the ledger from its beginning to its end; the first leaves something."""

    def __init__(self, ledger: MemoryLedger, lease: Path, leaves: Leaves) -> None:
        self.ledger, self.lease, self._leaves = ledger, lease, leaves

    async def drill(self, fault: DrillFault, name: str, *, share: float, **_: Any) -> DrillRow:
        begun = replace(BEGUN, drill=name, fault=fault.name, share=share)
        row = DrillRow(fault=fault.name, detected_s=1.0, recovered_s=2.0, answers_failed=0, automatic=True)
        with underway(self.ledger, begun):
            if not ended(self.ledger):
                self._leaves(self.ledger)
            self.ledger.append([e.DrillEnded(service=NAME, drill=name, fault=fault.name, outcome="passed")])
        return row


def run_all(folder: Path, leaves: Leaves, said: list[str]) -> tuple[tuple[DrillRow, ...], tuple[LeftOut, ...]]:
    ledger = ledger_with(e.ServiceDeclared(service=NAME, policy=POLICY, folder="fraud", declaration=OPERATED))
    stage: Any = SimpleNamespace(service=NAME, why_not=dict)
    driver: Any = Made(ledger, folder / "drill.json", leaves)
    made = Turns(ledger, stage, driver, ADA, said.append, own=False)
    return asyncio.run(made.all(Wanted(faults=FAULTS, share=0.05)))


def test_a_relief_and_a_remedy_are_waited_for_and_said_and_every_fault_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LOOK_S", 0.01)
    said, there, looks = list[str](), list[MemoryLedger](), list[int]()
    comes = iter((HELPED, OVER))

    def looked(*args: Any, **options: Any) -> tuple[str, ...]:
        """Every third look is the last that finds it so: nobody knows when a busy machine looks."""
        if found := obstacles(*args, **options):
            looks.append(len(looks))
            if len(looks) % 3 == 0:
                there[0].append([next(comes)])
        return found

    monkeypatch.setattr(turns, "obstacles", looked)

    def leaves(ledger: MemoryLedger) -> None:
        there.append(ledger)
        ledger.append([REMEDY])

    rows, left_out = run_all(tmp_path, leaves, said)
    assert [row.fault for row in rows] == list(FAULTS)
    assert left_out == ()
    assert [line for line in said if "waits" in line] == [
        "latency waits, 15 min at most: the remedy re-1 (fall_back) against errors is under way",
        "latency waits, 15 min at most: the relief re-1 (fall_back) against errors still stands",
    ]


def test_what_still_stands_after_that_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LOOK_S", 0.01)
    monkeypatch.setattr(turns, "CALM_WITHIN_S", 0.03)
    rows, left_out = run_all(tmp_path, lambda ledger: ledger.append([REMEDY, HELPED]), [])
    assert [row.fault for row in rows] == ["nan_burst"]
    assert [(one.fault, one.refused) for one in left_out] == [("latency", True), ("disk_full", True)]
    assert "the relief re-1 (fall_back) against errors still stands" in left_out[0].why


def test_a_budget_that_is_spent_is_not_waited_for(tmp_path: Path) -> None:
    spent = e.BudgetSpent(service=NAME, objective="availability", left=0.0, target=0.99, window_s=1.0, why="x")
    said: list[str] = []
    rows, left_out = run_all(tmp_path, lambda ledger: ledger.append([spent, REMEDY]), said)
    assert (len(rows), len(left_out)) == (1, 2)
    assert not any("waits" in line for line in said)


def test_a_fault_that_is_refused_keeps_what_was_made_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red before: the report of the drills before it went with the exception."""
    drill = Made.drill

    async def refused(self: Made, fault: DrillFault, name: str, **words: Any) -> DrillRow:
        if fault.name == "latency":
            raise Refused("somebody aborted it before the fault was made")
        return await drill(self, fault, name, **words)

    monkeypatch.setattr(Made, "drill", refused)
    rows, left_out = run_all(tmp_path, lambda _: None, [])
    assert [row.fault for row in rows] == ["nan_burst"]
    assert "somebody aborted it" in left_out[0].why
    assert replace(left_out[0], why="") == LeftOut(fault="latency", why="", refused=True)


def test_a_fault_that_cannot_be_made_ready_is_left_out_and_the_others_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red before: on a busy machine its candidate came late, and the report of seven drills was lost."""
    make = Made.drill

    async def drill(self: Made, fault: DrillFault, name: str, *, share: float, **other: Any) -> DrillRow:
        if fault.name == "latency":
            raise Unavailable("the bad release was not rolled out: its rollout: not within 120 s")
        return await make(self, fault, name, share=share, **other)

    monkeypatch.setattr(Made, "drill", drill)
    rows, left_out = run_all(tmp_path, lambda ledger: None, [])
    assert [row.fault for row in rows] == ["nan_burst", "disk_full"]
    assert [(one.fault, one.refused) for one in left_out] == [("latency", True)]
