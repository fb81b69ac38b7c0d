"""`flyball backtest SERVICE --history LOG`: a prediction log without ledger and releases; its first rows are normal."""

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.app.monitor import watched_home
from tests.app.monitor.watched_home import WINDOW_ROWS, logged, made, traffic

from flyball.adapters.prediction_log.segments import Segments
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.wiring.backtest.alone import LogAlone
from flyball.app.wiring.backtest.first_rows import REFERENCE_WINDOWS
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ledger import Entry

ROWS, CHANGED, NORMAL = 5000, 3500, REFERENCE_WINDOWS * WINDOW_ROWS
PANE = 250  # rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service `fraud/`, its home, and its log beside them: amounts are ten times as large, and labels turn round."""
    found = tmp_path_factory.mktemp("alone")
    home = made(found)
    table = traffic(ROWS, drifted_from=CHANGED)
    late = pl.int_range(pl.len()) >= CHANGED
    table = table.with_columns(is_fraud=pl.when(late).then(1 - pl.col("is_fraud")).otherwise("is_fraud"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(watched_home, "START", time.time() + 60)
        patched.setattr(watched_home, "PANE_ROWS", PANE)
        logged(home, table, labelled=True)
    shutil.copytree(home.telemetry("fraud"), found / "log")
    return found


def told(capfd: pytest.CaptureFixture[str], *tokens: str) -> Any:
    assert run(["backtest", *tokens, "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def test_what_changes_behind_the_first_rows_is_told_as_inside_of_the_home_and_nothing_before_it(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    alone = told(capfd, str(folder / "fraud"), "--history", str(folder / "log"), "--changes", str(CHANGED + 1))
    (line,) = alone["policies"]
    assert (line["policy"], alone["history"], alone["first_row"]) == ("fraud", "rows", NORMAL + 1)
    assert set(line["alarms_by"]) == {"quality", "risk"}, "a wish names one trigger, and risk comes before drift"
    assert (line["judged"]["false_alarms"], line["judged"]["detected"]) == (0, 1)
    assert f"its first {NORMAL} answered rows, {NORMAL} of them with a label" in alone["notes"][0]
    learned = told(capfd, "--history", str(folder / "home"))["first_row"] - 1  # rows of the first training
    inside = told(capfd, "--history", str(folder / "home"), "--changes", str(learned + CHANGED + 1))
    assert inside["policies"][0]["judged"]["delay_rows"] == line["judged"]["delay_rows"]


def test_other_policies_and_sweeps_stand_beside_the_declared_one(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lax, calm = tmp_path / "lax.yaml", tmp_path / "calm.yaml"
    lax.write_text("monitor: {live_metric: {name: roc_auc, max_loss: 0.95}}\n")
    calm.write_text("monitor: {psi: {act: 50.0}, live_metric: {name: roc_auc, max_loss: 0.95}}\n")
    tokens = [str(lax), str(folder / "fraud" / "service.yaml"), str(calm), "--history", str(folder / "log")]
    alarms = {line["policy"]: set(line["alarms_by"]) - {"quality"} for line in told(capfd, *tokens)["policies"]}
    assert alarms == {"fraud": {"risk"}, "lax": {"drift"}, "calm": set()}


def test_without_the_service_it_says_that_it_has_to_be_named(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "--history", str(folder / "log")]) == 2
    assert "a service's folder or whole service.yaml" in capfd.readouterr().err


def test_a_log_of_no_more_than_the_first_rows_cannot_be_judged(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for pane in sorted((folder / "log").iterdir())[: NORMAL // PANE]:
        shutil.copytree(pane, tmp_path / "short" / pane.name)
    assert run(["backtest", str(folder / "fraud"), "--history", str(tmp_path / "short")]) == 3
    assert f"the first {NORMAL} are taken as normal" in capfd.readouterr().err


def test_each_release_of_the_rows_is_a_champion_from_the_pane_on_in_which_it_answers(
    folder: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    shutil.copytree(folder / "log", log)
    for pane in sorted(path for path in log.iterdir() if path.is_dir() and path.name.isdigit())[CHANGED // PANE :]:
        rows = pl.read_parquet(pane / "predictions.parquet")
        rows.with_columns(release=pl.lit("sha256:" + "e" * 64)).write_parquet(pane / "predictions.parquet")
    found = LogAlone(log, load(folder / "fraud"))
    appointed = [entry for entry in found.entries() if isinstance(entry.fact, e.ChampionAppointed)]
    panes = [segment.pane for segment in Segments(log.parent).sealed("log", -1)]
    assert len(appointed) == 2
    assert str(appointed[1].fact.release) == "sha256:" + "e" * 64  # type: ignore[union-attr]
    ends = [time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(panes[at].end)) for at in (0, CHANGED // PANE)]
    assert [entry.at[:19] for entry in appointed] == ends
    state = folded(found.entries(), found.name)
    assert state.champion == "sha256:" + "e" * 64
    assert (len(state.withdrawn), state.recent.rollbacks) == (0, ())  # one followed the other: nobody took any back


def folded(entries: Sequence[Entry], service: str) -> ServiceState:
    state = ServiceState(service=service)
    for entry in entries:
        state = fold(state, entry)
    return state
