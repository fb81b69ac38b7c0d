"""A home with one trained service, its answered rows in the prediction log, and the windows that its monitor made."""

from contextlib import closing
from pathlib import Path

import polars as pl
from tests.pipeline.fraud import SERVICE, opened, trained, transactions, write_service

from flyball.adapters.models.predictor import load
from flyball.adapters.prediction_log.pane_states import STATES, PaneStates
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.adapters.window_book import SqliteWindows
from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.asking.declarations import declaration
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.loop.kept_states import KeptStates
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.loop.remembering import Remembering
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.app.wiring.training.executors import Executors
from flyball.contracts.odcs.document import parse_contract
from flyball.core.log_tables import log_tables
from flyball.core.prediction import Answer, Failure, LabelRecord, PredictionRecord
from flyball.monitor.watch import Watcher

WINDOW_ROWS, PANE_ROWS = 500, 100
START = 1_790_000_000.0  # seconds since the epoch; a row a second from then on
DECLARED = (
    SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  executor: in_process\n", 1)
    + f"monitor: {{window_rows: {WINDOW_ROWS}, live_metric: {{name: roc_auc, max_loss: 0.1}}}}\n"
)


def made(folder: Path) -> Home:
    """Trained: its release is the champion; nobody has asked it anything."""
    file = write_service(folder / "fraud", service=DECLARED)
    home = Home(folder / "home")
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline:
        trained(pipeline, file)
    return home


def champion(home: Home) -> str:
    with closing(open_ledger(home)) as ledger:
        found = states_of(ledger)["fraud"].champion
    assert found is not None
    return found


def logged(home: Home, table: pl.DataFrame, *, labelled: bool = False) -> None:
    """Sealed panes of rows that the champion answered, perhaps each with its label at once."""
    root = champion(home)
    contract = parse_contract(_contract(home, root), file="contract.yaml", table="transactions").contract
    tables = log_tables(contract, label="is_fraud", task="binary", hidden=frozenset())
    log = SegmentLog(home.telemetry("fraud"), "fraud", tables, fsync="os")
    predictor = load(str(ReleaseStore(home).folder(root)), release=root)
    for pane, first in enumerate(range(0, table.height, PANE_ROWS)):
        inputs = table.drop("is_fraud").slice(first, PANE_ROWS).to_dicts()
        answers = predictor.predict(inputs).answers
        rows = [_record(first + at, row, answers[at], root) for at, row in enumerate(inputs)]
        log.append(pane, rows, [])
        start = START + first
        truth = table["is_fraud"].slice(first, PANE_ROWS).to_list() if labelled else []
        labels = [LabelRecord(id=row.id, label=label, at=row.at) for row, label in zip(rows, truth, strict=False)]
        log.seal(pane, start=start, end=start + len(rows), received=len(rows), labels=labels)
    log.close()


def watched(home: Home) -> None:
    """What the controller does with them."""
    root, said = champion(home), list[str]()
    releases = ReleaseStore(home)
    contract = parse_contract(_contract(home, root), file="contract.yaml", table="transactions").contract
    with closing(open_ledger(home)) as ledger:
        declared = declaration(ledger, "fraud")
    watcher = Watcher(declared, contract, promises(releases))
    windows = Remembering(watcher, SqliteWindows(home.windows("fraud")), said.append)
    telemetry = KeptStates(
        Segments(home.telemetry("fraud").parent),
        PaneStates(home.telemetry("fraud") / STATES),
        promises(releases),
        without=watcher.unwatched,
        complain=said.append,
    )
    for segment in telemetry.sealed("fraud", -1):
        windows.feed(segment, champion=root)
    windows.write()
    assert said == []


def _contract(home: Home, root: str) -> str:
    return (ReleaseStore(home).folder(root) / "contract.yaml").read_text()


def _record(number: int, row: dict[str, object], answer: Answer | Failure, root: str) -> PredictionRecord:
    assert isinstance(answer, Answer)
    return PredictionRecord(
        id=f"fraud.{number:012x}{number:026x}",
        at=START + number,
        unit=str(row["card_id"]),
        arm="champion",
        release=root,
        epoch=1,
        outcome="answered",
        prediction=answer.prediction,
        score=answer.score,
        latency_ms=2.0,
        features={name: value for name, value in row.items() if value is not None},
    )


def traffic(rows: int, *, drifted_from: int | None = None) -> pl.DataFrame:
    """New rows of the same law; from `drifted_from` on amounts are ten times as large."""
    found = transactions(rows, seed=5, first=5000)
    if drifted_from is None:
        return found
    late = pl.int_range(pl.len()) >= drifted_from
    return found.with_columns(amount=pl.when(late).then(pl.col("amount") * 10).otherwise("amount"))
