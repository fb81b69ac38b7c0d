"""`flyball backtest` on the ledger of a replay: the record meets itself again, who leaves it is marked, faults come at
once."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.app.replay.gauge import CHANGE, replayed, written

from flyball.app.backtest.frontier import plotted
from flyball.app.backtest.report import Backtest
from flyball.app.backtest.sweep import sweeps
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.asking.declarations import declaration as declaration_of
from flyball.app.wiring.backtest.places import place
from flyball.app.wiring.backtest.run import Asked, on_history
from flyball.app.wiring.ledger import behind, open_ledger
from flyball.contracts.declaration.service_file import declaration
from flyball.core.service import Service

PANE = 100


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtest")
    replayed(written(folder / "gauge"), folder / "home")
    return folder / "home"


def asked(
    home: Path, *sweep: str, changes: tuple[str, ...] = (str(CHANGE + 1),), files: tuple[Path, ...] = ()
) -> Backtest:
    wanted = Asked(files=files, sweeps=sweeps(sweep), changes=changes, within_rows=None)
    return on_history(place(home), None, wanted, lambda _: None)


def test_the_recorded_policy_opens_the_recorded_tickets_at_the_recorded_panes(home: Path) -> None:
    events = [json.loads(entry.event) for entry in behind(Home(home), 0)]
    recorded = [(e["reason"], e["row"] // PANE) for e in events if e["type"] == "ticket.opened"]
    orders = sum(e["type"] == "retrain.ordered" for e in events)
    line = asked(home).policies[0]
    assert recorded, "a record without a ticket shows nothing"
    assert [(ticket.reason, ticket.row // PANE) for ticket in line.ticket_list] == recorded
    assert line.retrains == orders
    assert line.left is None
    assert all(ticket.as_recorded for ticket in line.ticket_list)


def test_the_turned_rule_is_detected_and_no_alarm_before_it_is_false(home: Path) -> None:
    found = asked(home).policies[0]
    assert found.judged.detected == 1
    assert found.judged.delay_rows is not None
    assert 0 < found.judged.delay_rows <= 3 * 200
    assert found.bad_rows is not None
    assert found.bad_rows > 0


def test_a_stricter_limit_never_alarms_earlier(home: Path) -> None:
    found = asked(home, "monitor.psi.act=0.3,0.4,0.8,2,5", "monitor.live_metric.max_loss=0.05,0.1,0.2,0.5,2")
    for setting, kind in (("monitor.psi.act", "drift"), ("monitor.live_metric.max_loss", "risk")):
        lines = [each for each in found.policies if each.policy.startswith(setting)]
        firsts = [min([a.row for a in each.alarm_list if a.kind == kind], default=10**9) for each in lines]
        assert firsts == sorted(firsts)
        assert firsts[0] < firsts[-1], "the strictest of them never alarms"


def test_a_policy_that_lets_a_training_pass_is_marked_from_there_on(home: Path, tmp_path: Path) -> None:
    watching = tmp_path / "watching.yaml"
    watching.write_text("autonomy: {retrain: observe}\n")
    recorded, other = asked(home, files=(watching,)).policies
    assert (other.retrains, other.tickets) == (0, 0)
    assert other.left is not None
    assert CHANGE < other.known_to_row < recorded.known_to_row
    assert other.alarms >= 1, "an alarm is none of what a policy may do"
    assert other.bad_rows is not None
    assert recorded.bad_rows is not None
    assert other.bad_rows >= recorded.bad_rows
    assert (recorded.bad_rows_at_least, other.bad_rows_at_least) == (False, True)
    assert other.rollouts_by.get("unknown", 0) >= 1


def test_without_known_changes_the_record_is_the_truth_and_the_rest_is_unknown(home: Path) -> None:
    found = asked(home, changes=())
    assert found.truth.by == "record"
    assert found.policies[0].judged.false_alarms is None, "nothing was dismissed, so nobody knows"


def test_a_setting_that_needs_the_rows_is_named_and_not_judged(home: Path) -> None:
    other = asked(home, "monitor.window_rows=400,500").policies[1]
    assert other.not_judged == ("monitor.window_rows",)
    assert other.left is None


def test_other_rules_of_a_whole_declaration_are_named_and_change_nothing(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    held = {"action": "retrain", "when": "hour >= 0", "effect": "never", "reason": "a quiet year"}
    whole = msgspec.json.decode(msgspec.json.encode(declaration(recorded(home))))
    named = {"policy": {"rules": [held], "approvals_per_day": 2}}
    (tmp_path / "quiet").mkdir()
    for name, other in (("same", whole), ("quiet/service", whole | named)):
        (tmp_path / f"{name}.yaml").write_text(msgspec.json.encode(other).decode())
    files = (tmp_path / "same.yaml", tmp_path / "quiet" / "service.yaml")
    first, same, quiet = asked(home, files=files).policies
    assert (same.changed, same.not_judged) == ((), ())
    assert quiet.changed == quiet.not_judged == ("policy.approvals_per_day", "policy.rules")
    assert quiet.retrains == first.retrains > 0
    assert run(["backtest", *map(str, files), "--history", str(home)]) == 0
    told = "quiet: not judged, the recorded ones stand: policy.approvals_per_day, policy.rules"
    assert told in capfd.readouterr().out.splitlines()


def recorded(home: Path) -> Service:
    ledger = open_ledger(Home(home), told=False)
    with closing(ledger):
        return declaration_of(ledger, "gauge")


def test_asked_twice_it_is_the_same_document(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tokens = ["backtest", "--history", str(home), "--changes", str(CHANGE + 1), "--sweep", "monitor.psi.act=0.3..0.6:2"]
    said = []
    for _ in range(2):
        assert run([*tokens, "--json"]) == 0
        said.append(capfd.readouterr().out)
    assert said[0] == said[1]
    document: dict[str, Any] = json.loads(said[0])
    assert [each["policy"] for each in document["policies"]] == [
        "as recorded",
        "monitor.psi.act=0.3",
        "monitor.psi.act=0.6",
    ]
    assert run(tokens) == 0
    assert "as recorded" in capfd.readouterr().out


def test_the_frontier_is_drawn(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("altair")
    target = tmp_path / "frontier.svg"
    assert run(["backtest", "--history", str(home), "--changes", str(CHANGE + 1), "--svg", str(target)]) == 0
    assert target.read_text().startswith("<svg")
    assert plotted(asked(home).policies)[0]["best"]


def test_all_faults_of_all_policies_are_told_at_once(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("monitor: {psi: {act: -1}, colour: red}\nserving: {}\n")
    two.write_text("retrain: {rest_after: 0}\n")
    assert run(["backtest", str(one), str(two), "--history", str(home), "--json"]) == 2
    faults = json.loads(capfd.readouterr().out)["error"]["faults"]
    paths = {fault["path"] for fault in faults}
    assert {"monitor.psi.act", "monitor.colour", "serving", "retrain.rest_after"} <= paths


@pytest.mark.parametrize("text", ["monitor.psi.act", "monitor.psi.act=1..2:1", "act=1", "monitor.psi.act=a,b"])
def test_a_faulty_sweep_is_bad_input(home: Path, text: str) -> None:
    assert run(["backtest", "--history", str(home), "--sweep", text]) == 2


def test_a_place_without_a_record_is_bad_input_and_a_home_below_it_is_named(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "telemetry" / "gauge").mkdir(parents=True)
    assert run(["backtest", "--history", str(tmp_path / "nowhere")]) == 2
    assert run(["backtest", "--history", str(tmp_path / "telemetry" / "gauge")]) == 2
    assert run(["backtest", "--history", str(home.parent)]) == 2
    assert f"perhaps {home}" in capfd.readouterr().err
