"""Repaired rows that come to lie where the service says are filled in by the controller, once, and after a kill too."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace
from tests.app.backfill.test_backfill import FIRST, LAST, log, right
from tests.app.backfill.test_controller_reads_again import ill, keeper_of, worst
from tests.app.monitor.watched_home import START
from tests.pipeline.fraud import opened

from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.loop import repairing
from flyball.app.wiring.loop.keeper import Keeper
from flyball.app.wiring.loop.mended import backfills_of
from flyball.app.wiring.training.executors import Executors
from flyball.control.state.healing_state import Unrepaired
from flyball.core.clock import timestamp
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger

PATIENCE_S = 60.0
NAME = ServiceName("fraud")
SPAN = tuple(timestamp(datetime.fromtimestamp(START + row, UTC)) for row in (FIRST, LAST))
OWED = Unrepaired(incident="in-7", since=SPAN[0], until=SPAN[1])


class Standing:
    """A keeper whose service is owed a repair of the ill span, for as long as the ledger has no backfill of it."""

    def __init__(self, keeper: Keeper, ledger: Ledger) -> None:
        self._keeper, self._ledger = keeper, ledger

    @property
    def standing(self):  # type: ignore[no-untyped-def]
        found = self._keeper.standing
        assert found is not None
        state, incidents = found
        owed = {} if backfills_of(self._ledger, NAME) else {"in-7": OWED}
        return replace(state, healing=replace(state.healing, unrepaired=owed)), incidents


@contextmanager
def kept(tmp_path: Path) -> Iterator[tuple[Home, Ledger, Keeper, Path]]:
    home, words = ill(tmp_path)
    file = tmp_path / "fraud" / "service.yaml"
    file.write_text(file.read_text() + "incidents: {repairs: 'mended/{incident}.parquet'}\n")
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        keeper = keeper_of(tmp_path, home, pipeline, ledger)
        keeper.round()
        yield home, ledger, keeper, Path(words[-1])
        keeper.stop()
        keeper.join()


def test_a_file_that_comes_to_lie_there_is_filled_in_by_itself_once_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(repairing, "EVERY_S", 0.1)
    with kept(tmp_path) as (home, ledger, keeper, rows):
        file, stopping = tmp_path / "fraud" / "service.yaml", threading.Event()
        standing = Standing(keeper, ledger)
        beside = threading.Thread(target=repairing.keep_all, args=([file], [standing], home, stopping))
        beside.start()
        try:
            place = file.parent / "mended" / "in-7.parquet"
            place.parent.mkdir()
            data = rows.read_bytes()
            place.write_bytes(data[: len(data) // 2])  # half of it, as while it is copied
            until(lambda: "was not filled in" in capfd.readouterr().err)
            assert backfills_of(ledger, NAME) == ()
            place.write_bytes(data)
            until(lambda: backfills_of(ledger, NAME))
        finally:
            stopping.set()
            beside.join()
        (fact,) = backfills_of(ledger, NAME)
        assert (fact.by, fact.proof, fact.incident, fact.rows) == ("policy", "policy", "in-7", LAST - FIRST)
        assert worst(home) > 1.0
        keeper.round()
        keeper.round()
        assert worst(home) < 0.5  # the monitor reads the span through its repair


def test_killed_in_between_it_is_begun_anew_and_done_once(tmp_path: Path) -> None:
    with kept(tmp_path) as (home, ledger, _, rows):
        file, stopping = tmp_path / "fraud" / "service.yaml", threading.Event()
        stopping.set()
        assert repairing.fill_in(file, OWED, rows, home, stopping) is None  # told to stop, and so is the process
        stopping.clear()
        assert repairing.fill_in(file, OWED, rows, home, stopping) == 0
        assert repairing.fill_in(file, OWED, rows, home, stopping) == 0
        assert len(backfills_of(ledger, NAME)) == 1


def test_rows_that_violate_the_contract_are_not_filled_in(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with kept(tmp_path) as (home, ledger, _, rows):
        ids = log(home)["id"][FIRST:LAST]
        bad = right()[FIRST:LAST].with_columns(ids.alias("id"), amount=pl.lit(-5.0)).drop("is_fraud")
        bad.write_parquet(rows)
        file = tmp_path / "fraud" / "service.yaml"
        assert repairing.fill_in(file, OWED, rows, home, threading.Event()) == 1
        assert "violate the data contract" in capfd.readouterr().err
        assert backfills_of(ledger, NAME) == ()


def until(found) -> None:  # type: ignore[no-untyped-def]
    ends = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < ends, "it does not come"
        time.sleep(0.1)
