"""A controller that runs notices a backfill and reads the log again through it: its windows are of repaired rows."""

from contextlib import closing
from pathlib import Path

from tests.app.backfill.test_backfill import FIRST, LAST, log, right, wrong
from tests.app.monitor.watched_home import START, logged, made
from tests.pipeline.fraud import opened

from flyball.adapters.messages.gateway_socket import SocketGateways
from flyball.adapters.window_book import windows_of
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.loop.around import Around
from flyball.app.wiring.loop.controller import Keeper
from flyball.app.wiring.loop.live import WithSpool
from flyball.app.wiring.training.executors import Executors


def worst(home: Home) -> float:
    """PSI of the amount in the worst window."""
    return max(each.report.psi.get("amount", 0.0) for each in windows_of(home.windows("fraud")))


def test_a_running_controller_reads_the_log_again_through_a_backfill(tmp_path: Path) -> None:
    home = made(tmp_path)
    logged(home, wrong())
    table = tmp_path / "rows.parquet"
    ids = log(home)["id"][FIRST:LAST]
    right()[FIRST:LAST].with_columns(ids.alias("id")).drop("is_fraud").write_parquet(table)
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        keeper = Keeper(
            *(tmp_path / "fraud" / "service.yaml", home, pipeline, ledger),
            *(WithSpool(SocketGateways(home.socket), home), "me", Around(home, b"secret")),
        )
        keeper.round()
        assert worst(home) > 1.0
        span = [f"--since={START + FIRST}", f"--until={START + LAST}"]
        words = ["backfill", str(tmp_path / "fraud"), *span, "--rows", str(table), "--home", str(home.root)]
        assert run(words) == 0
        keeper.round()  # reads the fact
        keeper.round()  # and the log through it
        assert worst(home) < 0.5
        assert keeper.standing is not None
        (_backfill,) = keeper.standing[0].backfills
        keeper.stop()
        keeper.join()
