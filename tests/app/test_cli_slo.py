"""`flyball slo status`: what the controller wrote down, what the ledger says, and UNKNOWN where neither knows."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from ruamel.yaml import YAML
from tests.control.reconcile.test_budgeting import HALF, kept
from tests.control.test_spending import SPENT
from tests.control.world import NAME, first_champion, service
from tests.serving.stage import CONTRACT, SERVICE

from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import recorder
from flyball.app.wiring.loop.budgets_file import BudgetsFile, budgets_state
from flyball.app.wiring.serving.newest_budgets import NewestBudgets
from flyball.contracts.declaration.service_file import declaration
from flyball.core import events as e
from flyball.core.declared.objectives import Objective, Slo
from flyball.core.errors import BadInput, Unavailable
from flyball.core.policy import policy_digest
from flyball.core.promised import objectives_of
from flyball.core.routing import Observed
from flyball.core.service import Service
from flyball.serving.serve.http.exposition import exposition_of

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
    loop.clock.advance(600.0)
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


def declared_in(folder: Path, slo: str, *, files: dict[str, str] | None = None) -> Path:
    """A service folder whose declaration has this section."""
    folder.mkdir()
    (folder / "service.yaml").write_text(SERVICE + slo)
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / "model.py").write_text("def train(features, label, *, config, seed): ...\n")
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    return folder


def test_rules_need_an_address_of_runbooks_and_are_written_whole(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = declared_in(tmp_path / "shop", "slo: {}\n")
    assert run(["slo", "rules", str(folder), "--json"]) == 2
    (fault,) = json.loads(capfd.readouterr().out)["error"]["faults"]
    assert fault["path"] == "runbooks_url"
    out = tmp_path / "rules.yaml"
    assert run(["slo", "rules", str(folder), "--runbooks-url", "https://wiki.example", "--out", str(out)]) == 0
    assert "runbook_url: https://wiki.example/" in out.read_text()
    capfd.readouterr()
    assert run(["slo", "rules", str(folder), "--runbooks-url", "https://wiki.example", "--json"]) == 0
    groups = json.loads(capfd.readouterr().out)["groups"]
    assert groups == YAML(typ="safe").load(out.read_text())["groups"]
    assert run(["slo", "rules", str(folder), "--runbooks-url", "https://wiki.example", "--scale", "2"]) == 2


def test_what_is_exported_and_named_among_the_files_changes_no_objective(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = "slo: {objectives: [{name: inputs, sli: inputs, target: 0.97, urgency: ticket}]}\n"
    folder = declared_in(tmp_path / "shop", mine)
    out = tmp_path / "slo.yaml"
    assert run(["slo", "export", str(folder), "--out", str(out)]) == 0
    again = declared_in(tmp_path / "again", "slo: {files: [slo.yaml]}\n", files={"slo.yaml": out.read_text()})
    capfd.readouterr()
    assert run(["slo", "lint", str(out), "--json"]) == 0
    assert len(json.loads(capfd.readouterr().out)["objectives"]) == 3
    assert set(objectives_of(load(again).service)) == set(objectives_of(load(folder).service))
    assert policy_digest(load(again).service) != policy_digest(replace(load(again).service, slo=None))


def test_faults_of_the_files_stand_among_those_of_the_service(tmp_path: Path) -> None:
    text = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: shop}\nspec: {}\n"
    folder = declared_in(tmp_path / "shop", "slo: {files: [slo.yaml, gone.yaml]}\n", files={"slo.yaml": text})
    (folder / "model.py").write_text("def fit(): ...\n")
    with pytest.raises(BadInput) as caught:
        load(folder)
    assert {(fault.where.split(":")[0], fault.path) for fault in caught.value.faults} == {
        ("slo.yaml", "kind"),
        ("gone.yaml", "(file)"),
        ("model.py", "train"),
    }


def test_one_objective_in_the_declaration_and_in_a_file_is_a_fault(tmp_path: Path) -> None:
    folder = declared_in(tmp_path / "shop", "slo: {}\n")
    out = folder / "slo.yaml"
    assert run(["slo", "export", str(folder), "--out", str(out)]) == 0
    twice = "slo: {files: [slo.yaml], objectives: [{name: latency, sli: latency, target: 0.9}]}\n"
    other = declared_in(tmp_path / "other", twice, files={"slo.yaml": out.read_text()})
    with pytest.raises(BadInput) as caught:
        load(other)
    assert "latency more than once" in caught.value.faults[0].found


def test_the_gateway_tells_what_the_controller_counted_and_nothing_of_what_nobody_knows(tmp_path: Path) -> None:
    home, complaints = Home(tmp_path / "home").made(), list[str]()
    budgets = NewestBudgets(home, complaints.append)
    assert exposition_of([("fraud", Observed(routing=None, counts=None), [])], budgets=budgets).count("budget") == 0
    _, log, sensor = kept(DECLARED)
    BudgetsFile(home, NAME, sensor).write()
    text = exposition_of([("fraud", Observed(routing=None, counts=None), [])], budgets=budgets)
    assert 'flyball_objective_events_total{objective="availability",service="fraud",what="total"} 144000.0' in text
    assert 'flyball_error_budget_left_ratio{objective="latency",service="fraud"} 1.0' in text
    assert 'objective="theirs"' not in text
    assert len(log.failed) == 144
    (home.telemetry(NAME) / "budgets.json").write_text("torn")
    assert budgets(NAME) is None
    assert len(complaints) == 1


def test_a_text_makes_no_folders_that_nobody_asked_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    place, file = home_of(tmp_path), tmp_path / "not" / "there" / "rules.yaml"
    assert run(["slo", "export", NAME, "--out", str(file), "--home", str(place.root)]) == 2
    assert "mkdir -p" in capfd.readouterr().err
    assert not file.parent.parent.exists()
