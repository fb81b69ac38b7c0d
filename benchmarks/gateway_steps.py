"""What each step of a request costs, one after the other in one process, without wires: us of processor a row.

Rows come in batches of 16, as with 16 connections. Each figure is the smallest of several repetitions in processor
time, so that neighbours on the machine change little. Steps that are paid once a batch (the event loop's tasks and
futures, the question to the arm) and the HTTP server itself are not here: `python -m benchmarks gateway` has the whole.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from benchmarks._gateway.services import MODELS, Served, made

from flyball.adapters.models.predictor import load
from flyball.adapters.prediction_log.files import Frame
from flyball.app.declared import load as declared
from flyball.contracts.rows.compiled import CompiledRows
from flyball.contracts.rows.reader import body_reader
from flyball.core.log_columns import columns_of
from flyball.core.log_tables import log_tables
from flyball.core.prediction import ArmReply
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import in_memory
from flyball.serving.counting.tally import Tally
from flyball.serving.gateway import Gateway
from flyball.serving.identity import PredictionIds
from flyball.serving.protocols import plain
from flyball.serving.redact import redactor
from flyball.serving.serve.workers.table import read_table

TOGETHER, REPEATS = 16, 200


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="bench-steps-") as name:
        for title in ("trees", "regression"):
            print(f"\n-- {title}: us a row, {TOGETHER} rows together")
            steps(made(Path(name) / title, MODELS[title]))


def steps(served: Served) -> None:
    """Of one service."""
    found = declared(served.folder)
    contract, label = found.contract, found.service.data.label
    bodies = served.bodies[:TOGETHER]
    reader = body_reader(contract, label=label)
    assert reader is not None
    read = reader.row
    names = [column.name for column in contract.columns if column.name != label]
    checker = CompiledRows(contract, label=label)
    gate = Gateway(
        found.service,
        checker,
        Accounting(in_memory()),
        PredictionIds("bench", b"secret", b"boot"),
        redactor(names, frozenset(), b"secret"),
    )
    table = read_table(served.folder / "home" / "gateway" / "bench")
    assert table is not None
    gate.route(table.routing)
    predictor = load(str(served.release), release=table.routing.champion)
    rows = [read(body) or {} for body in bodies]
    at, ids = [1.0] * TOGETHER, [f"r{i}" for i in range(TOGETHER)]

    def begun(accepted: bool = True) -> tuple[object, object]:
        return gate.begin(rows, request_id=ids, at=at, joined=True, accepted=accepted)

    batch, (ask,) = gate.begin(rows, request_id=ids, at=at, joined=True, accepted=True)
    reply = predictor.predict(rows)
    assert isinstance(reply, ArmReply)
    gate.take(batch, ask, reply)
    records = gate.finish(batch, ended=0.001)
    tally, many = Tally(), records * 50
    frame = Frame(columns_of(many), [])
    encoded = msgspec.msgpack.encode(frame)
    decoder, tables = msgspec.msgpack.Decoder(Frame), log_tables(contract, label=label, task="binary")
    _show("read and accept (compiled)", lambda: [read(body) for body in bodies])
    _show("  the slow way: JSON, then the checker", lambda: checker.check([msgspec.json.decode(b) for b in bodies]))
    _show("assign: id, unit, arm, counts", begun)
    _show("the release: matrix, graph, answers", lambda: predictor.predict(rows))
    _show("take the reply", lambda: gate.take(batch, ask, reply))
    _show("finish: record, counts, tests", lambda: gate.finish(batch, ended=0.001))
    _show("metrics", lambda: tally.add(records))
    _show("choose for the shadow", lambda: gate.shadow(batch))
    _show("write the answer", lambda: [plain.prediction_body(batch, i, r) for i, r in enumerate(records)])
    _show("log: turn and encode a frame", lambda: msgspec.msgpack.encode(Frame(columns_of(many), [])), len(many))
    _show("seal: decode and tabulate", lambda: tables.predictions(decoder.decode(encoded).columns), len(many))


def _show(step: str, call: Callable[[], object], rows: int = TOGETHER) -> None:
    best = float("inf")
    repeats = max(1, REPEATS * TOGETHER // rows)
    for _ in range(7):
        started = time.process_time()
        for _ in range(repeats):
            call()
        best = min(best, time.process_time() - started)
    print(f"{step:40} {best / repeats / rows * 1e6:6.2f}")


if __name__ == "__main__":
    main()
