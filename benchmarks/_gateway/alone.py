"""What is left when the wires are taken away: the bare estimator, the loaded release, and the pure core."""

import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from benchmarks._gateway.services import NAMES, Served

from flyball.adapters.models.predictor import load
from flyball.core.prediction import Predictor
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import in_memory

CALLS = 2000


def bare_us(served: Served) -> float:
    """The loop that one writes first: the estimator as trained, `predict_proba` row by row. Microseconds a row."""
    spec = importlib.util.spec_from_file_location("benched", served.folder / "model.py")
    assert spec is not None
    assert spec.loader is not None
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    table = pl.read_csv(served.folder / "rows.csv")
    make: Callable[[pl.DataFrame], Any] = getattr(model, "features", None) or (lambda t: t.select(NAMES).to_numpy())
    pipeline = model.train(make(table.drop("fraud")), table["fraud"].to_numpy(), config={}, seed=7)
    rows = [make(table[i].drop("fraud")) for i in range(100)]
    return _median_us(lambda i: pipeline.predict_proba(rows[i % 100]))


def release_us(served: Served) -> float:
    """`predict` of the release as the gateway loads it. Microseconds a row."""
    predictor = load(str(served.release))
    rows = [json.loads(body) for body in served.bodies]
    return _median_us(lambda i: predictor.predict(rows[i % 500 : i % 500 + 1]))


def core_rps() -> float:
    """The pure core in batches of 100, models excluded: what a replay pays. Rows a second."""
    from tests.serving.parts import CANDIDATE, CHAMPION, Told, gateway, routing, row

    gate = gateway(accounting=Accounting(in_memory()))
    gate.route(routing(weight=1000))
    predictors: dict[str, Predictor] = {root: Told(root) for root in (CHAMPION, CANDIDATE)}
    spent = inside = 0.0
    batches = 400
    for number in range(batches):
        rows = [row(card=f"c{(number * 100 + i) % 5000}", items=1) for i in range(100)]
        at = [float(number * 100 + i) for i in range(100)]
        started = time.perf_counter()
        gate.answer(rows, predictors, at, "r")
        spent += time.perf_counter() - started
        started = time.perf_counter()
        predictors[CHAMPION].predict(rows)
        inside += time.perf_counter() - started
    return 100 * batches / (spent - inside)


def _median_us(call: Callable[[int], object]) -> float:
    np.random.seed(0)
    times = []
    for number in range(CALLS):
        started = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6
