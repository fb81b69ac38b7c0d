"""A retraining that the loop has ordered, with the real pipeline and trainer."""

from pathlib import Path

import polars as pl
from tests.pipeline.fraud import SERVICE, opened, trained, transactions, write_service

from flyball.adapters.clock import SystemClock
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.declared import load
from flyball.app.people import states_of
from flyball.app.wiring.loop.learner import PipelineLearner
from flyball.control.retraining import ordered
from flyball.core import events as e
from flyball.core.ids import ServiceName
from flyball.core.watching import Diagnosis

FRAUD = ServiceName("fraud")


def test_a_retraining_from_the_source_reads_it_again(tmp_path: Path) -> None:
    file = write_service(tmp_path / "fraud", service=SERVICE + "retrain: {from: source}\n")
    trainer = ForkServerTrainer()
    with opened(tmp_path / "home", trainer) as pipeline:
        trained(pipeline, file)
        grown = pl.concat([transactions(), transactions(1000, seed=2, first=5000)])
        grown.write_parquet(tmp_path / "fraud" / "train.parquet")
        ledger = pipeline._ledger
        diagnosis = Diagnosis(kind="concept_drift", reason="a test says so")
        ledger.append(
            [e.TicketOpened(service=FRAUD, ticket="ti-1", kind="retrain", reason="risk", diagnosis=diagnosis)]
        )
        ticket = states_of(ledger)["fraud"].ticket
        assert ticket is not None
        order = ordered(states_of(ledger)["fraud"], ticket, by="policy", proof="policy")
        ledger.append(order.facts, commands=order.commands)
        claimed = ledger.claim("fraud", "test", ttl_s=30)
        assert claimed is not None
        learner = PipelineLearner(
            lambda: load(file),
            pipeline,
            ledger,
            SystemClock(),
            captured=lambda rows, since: None,
            source=lambda: pl.DataFrame(),
            position="flyball.row",
            in_background=True,
            rereads_source=True,
        )
        learner.learn(states_of(ledger)["fraud"], claimed)
        learner.join()
        snapshots = [entry.fact.snapshot for entry in ledger.read() if isinstance(entry.fact, e.SnapshotTaken)]
        state = states_of(ledger)["fraud"]
    trainer.close()
    assert [(snapshot.source, snapshot.rows) for snapshot in snapshots] == [("source", 5000), ("source", 6000)]
    assert state.ticket is not None
    assert state.ticket.release is not None
