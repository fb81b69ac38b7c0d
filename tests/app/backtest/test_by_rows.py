"""`flyball backtest --history HOME/telemetry/SERVICE`: the rows of the prediction log go through the monitor again."""

import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.app.monitor import watched_home
from tests.app.monitor.watched_home import WINDOW_ROWS, logged, made, traffic, watched

from flyball.app.backtest.report import Backtest
from flyball.app.backtest.sweep import sweeps
from flyball.app.home import Home
from flyball.app.wiring.asking.declarations import declaration as recorded
from flyball.app.wiring.backtest.places import place
from flyball.app.wiring.backtest.run import Asked, on_history
from flyball.app.wiring.ledger import open_ledger
from flyball.contracts.declaration.service_file import declaration

ROWS, DRIFTED = 3000, 1000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    found = made(tmp_path_factory.mktemp("rows"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(watched_home, "START", time.time() + 60)  # the champion was appointed before it answered
        logged(found, traffic(ROWS, drifted_from=DRIFTED))
    return found


def asked(history: Path, *sweep: str, changes: tuple[str, ...] = (), files: tuple[Path, ...] = ()) -> Backtest:
    wanted = Asked(files=files, sweeps=sweeps(sweep), changes=changes, within_rows=None)
    return on_history(place(history), None, wanted, lambda _: None)


def test_changes_outside_of_the_record_are_counted_and_nothing_is_detected_or_missed(home: Home) -> None:
    found = asked(home.telemetry("fraud"), changes=("1", "9999999"))
    assert found.truth.why == "0 known changes, 2 outside the record"
    assert found.policies[0].judged.detected is None


def test_a_log_without_windows_is_judged_by_its_rows_and_finds_the_drift_that_is_in_it(home: Home) -> None:
    first = asked(home.telemetry("fraud")).first_row
    found = asked(home.telemetry("fraud"), changes=(str(first + DRIFTED),))
    (line,) = found.policies
    assert (found.history, found.service) == ("rows", "fraud")
    assert line.judged.detected == 1
    assert line.judged.false_alarms == 0
    assert line.alarms > 0


def test_windows_of_other_sizes_are_counted_anew_from_the_rows(home: Home) -> None:
    lines = asked(home.telemetry("fraud"), f"monitor.window_rows=200..{WINDOW_ROWS}:2").policies
    assert [line.windows for line in lines] == [ROWS // WINDOW_ROWS, ROWS // 200, ROWS // WINDOW_ROWS]
    assert not any(line.not_judged for line in lines)


def test_what_no_backtest_judges_keeps_nothing_else_from_being_judged(home: Home, tmp_path: Path) -> None:
    with closing(open_ledger(home, told=False)) as ledger:
        whole = msgspec.json.decode(msgspec.json.encode(declaration(recorded(ledger, "fraud"))))
    whole["monitor"]["window_rows"] = 200
    (tmp_path / "service.yaml").write_text(msgspec.json.encode(whole | {"policy": {"approvals_per_day": 2}}).decode())
    _, line = asked(home.telemetry("fraud"), files=(tmp_path / "service.yaml",)).policies
    assert line.changed == ("monitor.window_rows", "policy.approvals_per_day")
    assert line.not_judged == ("policy.approvals_per_day",)
    assert line.windows == ROWS // 200


def test_windows_that_were_kept_say_the_same_as_the_rows_that_they_were_made_of(home: Home, tmp_path: Path) -> None:
    by_rows = asked(home.telemetry("fraud"))
    watched(home)  # which counts from its own first row, not behind the rows that were learned from
    by_windows = asked(home.root)
    assert (by_rows.history, by_windows.history) == ("rows", "windows")
    assert by_windows.policies[0].windows == by_rows.policies[0].windows
    assert alarms(by_windows) == alarms(by_rows)
    assert alarms(by_rows)
    guarded = tmp_path / "guarded.yaml"
    guarded.write_text("rollout: {guardrails: {metrics: [{name: accuracy}]}}\n")
    assert asked(home.root, files=(guarded,)).history == "rows", "what labels say of two arms is in no window"


def alarms(found: Backtest) -> list[tuple[str, int]]:
    """Kind, and rows behind the first one."""
    return [(one.kind, one.row - found.first_row) for one in found.policies[0].alarm_list]
