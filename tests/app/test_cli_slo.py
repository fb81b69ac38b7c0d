"""`flyball slo status`: what the controller wrote down, what the ledger says, and UNKNOWN where neither knows."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.control.reconcile.test_budgeting import HALF, kept
from tests.control.test_spending import SPENT
from tests.control.world import NAME, first_champion, service

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.ledger import recorder
from flyball.app.wiring.loop.budgets_file import BudgetsFile, budgets_state
from flyball.contracts.declaration.service_file import declaration
from flyball.core import events as e
from flyball.core.errors import Unavailable
from flyball.core.objectives import Objective, Slo
from flyball.core.policy import policy_digest
from flyball.core.service import Service

THEIRS = Objective(name="theirs", sli="query", target=0.9, good="a_total", total="b_total")
DECLARED = replace(service(), slo=Slo(objectives=(HALF, THEIRS)))


def home_of(folder: Path, declared: Service = DECLARED, *facts: e.AnyFact) -> Home:
    """A home whose ledger knows the service."""
    home = Home(folder / "home").made()
    ledger = recorder(home)
    begun = first_champion()
    told = e.ServiceDeclared(
        service=NAME, policy=policy_digest(declared), declaration=declaration(declared), folder="fraud"
    )
    ledger.append([told, *begun[1:], *facts])
    ledger.close()
    return home


def asked(home: Home, capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    capfd.readouterr()
    code = run(["slo", "status", NAME, "--home", str(home.root), *words, "--json"])
    return code, json.loads(capfd.readouterr().out)


def test_what_nobody_has_counted_is_unknown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, found = asked(home_of(tmp_path), capfd)
    assert code == 0
    assert found["as_of"] is None
    unknown = {each["name"]: (each["left"], each["unknown"]) for each in found["objectives"]}
    nobody = (None, "no controller has counted its events yet")
    assert unknown == {"latency": nobody, "availability": nobody, "theirs": nobody}
    assert run(["slo", "status", NAME, "--home", str(tmp_path / "home")]) == 0
    assert "availability: UNKNOWN: no controller" in capfd.readouterr().out


def test_a_spent_budget_is_told_with_what_it_freezes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loop, log, sensor = kept(DECLARED)
    log.failed += [900, 900]
    loop.tick()
    home = home_of(tmp_path, DECLARED, *loop.facts(e.BudgetSpent), *loop.facts(e.BudgetBurning))
    BudgetsFile(home, NAME, sensor).write()
    code, found = asked(home, capfd)
    assert code == 1
    assert found["frozen_by"] == ["availability"]
    by = {each["name"]: each for each in found["objectives"]}
    assert by["availability"]["bad"] == 1800
    assert by["availability"]["left"] < 0
    assert by["availability"]["exhausted_in_s"] == 0
    assert by["availability"]["told"]["urgency"] == "page"
    assert by["latency"]["left"] == 1
    assert "Prometheus" in by["theirs"]["unknown"]
    assert run(["slo", "status", NAME, "--home", str(home.root)]) == 1
    text = capfd.readouterr().out
    assert "promotions of fraud are FROZEN: the budget of availability is spent" in text
    assert "BURNING (page)" in text


def test_figures_of_another_declaration_are_not_those_of_this_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, _, sensor = kept(DECLARED)
    stricter = replace(DECLARED, slo=Slo(objectives=(replace(HALF, target=0.9999),)))
    home = home_of(tmp_path, stricter)
    BudgetsFile(home, NAME, sensor).write()
    _, found = asked(home, capfd)
    by = {each["name"]: each for each in found["objectives"]}
    assert by["availability"]["unknown"] == "its controller has not counted it as it is declared now"
    assert by["latency"]["left"] == 1


def test_without_a_section_it_is_said_that_nothing_follows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = home_of(tmp_path, service(), SPENT)
    assert asked(home, capfd)[1]["frozen_by"] == []
    run(["slo", "status", NAME, "--home", str(home.root)])
    assert "fraud declares no `slo`: nothing follows from these budgets" in capfd.readouterr().out


def test_the_file_is_written_once_a_pane_and_not_too_often_and_what_is_torn_is_refused(tmp_path: Path) -> None:
    home, now = Home(tmp_path / "home").made(), [0.0]
    loop, log, sensor = kept(DECLARED)
    file = BudgetsFile(home, NAME, sensor, now=lambda: now[0])
    assert budgets_state(home, NAME) is None
    file.write()
    first = budgets_state(home, NAME)
    assert first == sensor.budgets.state()
    log.failed += [3]
    loop.tick()
    file.write()
    assert budgets_state(home, NAME) == first, "five seconds have not passed"
    now[0] = 6.0
    file.write()
    assert budgets_state(home, NAME) == sensor.budgets.state() != first
    path = home.telemetry(NAME) / "budgets.json"
    path.write_bytes(msgspec.json.encode({"service": NAME}))
    with pytest.raises(Unavailable):
        budgets_state(home, NAME)
