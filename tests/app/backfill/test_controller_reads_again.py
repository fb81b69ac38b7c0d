"""A controller that runs notices a backfill and reads the log again through it: its windows are of repaired rows."""

import shutil
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from tests.app.backfill.test_backfill import FIRST, LAST, log, right, wrong
from tests.app.monitor.watched_home import START, logged, made
from tests.pipeline.fraud import opened

from flyball.adapters.messages.gateway_socket import SocketGateways
from flyball.adapters.prediction_log.repairs import FOLDER
from flyball.adapters.prediction_log.segments import Segments
from flyball.adapters.window_book import windows_of
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.loop import beside_log, mended
from flyball.app.wiring.loop.around import Around
from flyball.app.wiring.loop.keeper import Keeper
from flyball.app.wiring.loop.live import WithSpool
from flyball.app.wiring.training.executors import Executors
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.errors import Untrusted
from flyball.core.facts.storage import Deleted, repair_place
from flyball.core.ledger import Ledger
from flyball.monitor.labels import AT


def worst(home: Home) -> float:
    """PSI of the amount in the worst window."""
    return max(each.report.psi.get("amount", 0.0) for each in windows_of(home.windows("fraud")))


def ill(folder: Path) -> tuple[Home, list[str]]:
    """A home whose log has a wrong span, and the words of the backfill that repairs it."""
    home = made(folder)
    logged(home, wrong())
    table = folder / "rows.parquet"
    ids = log(home)["id"][FIRST:LAST]
    right()[FIRST:LAST].with_columns(ids.alias("id")).drop("is_fraud").write_parquet(table)
    return home, [f"--since={START + FIRST}", f"--until={START + LAST}", "--rows", str(table)]


def keeper_of(folder: Path, home: Home, pipeline: Pipeline, ledger: Ledger) -> Keeper:
    gateways = WithSpool(SocketGateways(home.socket), home)
    file = folder / "fraud" / "service.yaml"
    return Keeper(file, home, pipeline, ledger, gateways, "me", Around(home, b"secret"))


def test_a_running_controller_reads_the_log_again_through_a_backfill(tmp_path: Path) -> None:
    home, span = ill(tmp_path)
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        keeper = keeper_of(tmp_path, home, pipeline, ledger)
        keeper.round()
        assert worst(home) > 1.0
        assert run(["backfill", str(tmp_path / "fraud"), *span, "--home", str(home.root)]) == 0
        keeper.round()  # reads the fact
        keeper.round()  # and the log through it
        assert worst(home) < 0.5
        assert keeper.standing is not None
        (_backfill,) = keeper.standing[0].backfills
        keeper.stop()
        keeper.join()


def test_rows_of_a_repair_that_are_gone_take_no_service_out_of_control(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mended, "AGAIN_S", 0.0)
    home, span = ill(tmp_path)
    words = ["backfill", str(tmp_path / "fraud"), *span, "--home", str(home.root)]
    assert run(words) == 0
    shutil.rmtree(home.telemetry("fraud") / FOLDER)
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        keeper = keeper_of(tmp_path, home, pipeline, ledger)
        keeper.round()
        assert keeper.standing is not None
        assert worst(home) > 1.0
        assert capfd.readouterr().err.count("nothing is trained on it") == 1
        (gone,) = mended.backfills_of(ledger, "fraud")
        log = mended.Mended(Segments(home.telemetry("fraud").parent), (), [gone])
        rows = pl.DataFrame({AT: [float(START + FIRST - 1), float(START + FIRST)]})
        assert log.inside(rows[:1]) == ()
        with pytest.raises(Untrusted, match="whose repair is gone"):
            log.inside(rows)
        assert run(words) == 0
        assert "written again" in capfd.readouterr().out
        keeper.round()  # sees that they are back
        keeper.round()
        assert worst(home) < 0.5
        keeper.stop()
        keeper.join()


def test_a_repair_that_the_retention_took_is_not_lost(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home, span = ill(tmp_path)
    words = ["backfill", str(tmp_path / "fraud"), *span, "--home", str(home.root)]
    assert run(words) == 0
    folder = home.telemetry("fraud")
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        (done,) = mended.backfills_of(ledger, "fraud")
        before = mended.Repairs(folder, [done], print)
        place = repair_place("fraud", done.backfill)
        over = [Deleted(kind="repair", name=place, size=1)]
        beside_log.delete(home, "fraud", ledger, over, retention_s=86_400.0)
        assert list((folder / FOLDER).iterdir()) == []
        taken = mended.taken_of(ledger, "fraud")
        assert taken == {place}
        assert mended.repairs_of(folder, [done], taken) == ()
        repairs = mended.Repairs(folder, [done], print, taken)
        assert (repairs.there, repairs.lost, repairs.known) == ((), (), before.known)  # a checkpoint stays good
        log = mended.Mended(Segments(folder.parent), repairs.there, repairs.lost, repairs.taken)
        rows = pl.DataFrame({AT: [float(START + FIRST - 1), float(START + FIRST)]})
        assert log.inside(rows) == (done.backfill,)  # rows that a checkpoint has: lineage names it
        told = log.repaired(rows)
        assert told is not None
        assert told.to_list() == [False, True]
        keeper = keeper_of(tmp_path, home, pipeline, ledger)
        keeper.round()
        assert keeper.standing is not None
        assert "nothing is trained on it" not in capfd.readouterr().err
        keeper.stop()
        keeper.join()


def test_a_running_controller_takes_up_who_is_on_call_now(tmp_path: Path) -> None:
    home, file = made(tmp_path), tmp_path / "fraud" / "service.yaml"
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        keeper = keeper_of(tmp_path, home, pipeline, ledger)
        keeper.round()
        held = keeper.held()
        assert held is not None
        assert held[1].alerts is None
        file.write_text(file.read_text() + "alerts: {on_call: [ada]}\n")
        pipeline.declare(load(file))
        keeper.round()  # reads the fact
        keeper.round()
        held = keeper.held()
        assert held is not None
        assert held[1].alerts is not None
        assert held[1].alerts.on_call == ("ada",)
        keeper.stop()
        keeper.join()
