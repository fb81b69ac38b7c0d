"""The deployment tests of a package: its times, its size, another interpreter.

Done is what a gate reads; with `experiment.suites: full`, or where a gate asks for the suite, everything.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from msgspec.structs import replace

from flyball.core.errors import NotEnoughData
from flyball.core.model import Fresh, Loaded, LoadFresh
from flyball.core.prediction import Answer
from flyball.core.record import Record
from flyball.core.release import Estimate, TestResult
from flyball.core.service import MEASURED, Service
from flyball.pipeline import gates
from flyball.pipeline.run import package
from flyball.pipeline.suites import deployment_features, deployment_latency, deployment_package

ENOUGH_S = 2.0  # a slow model is timed less often, but never less than FEWEST calls
GATED_S = 10.0  # where a gate reads the time: an unknown bound costs a release
FEWEST = 32
COMPARED_ROWS = 256
_TIMES = {  # rows a call, share of the calls
    "latency_p50_ms": (1, 0.5),
    "latency_p99_ms": (1, 0.99),
    "latency_p99_ms_batch32": (deployment_latency.BATCH, 0.99),
}


class Deployed(Record):
    """What was measured, why something was not, and what the tests say."""

    metrics: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    tests: tuple[TestResult, ...] = ()


def deploy(service: Service, model: Loaded, holdout: pl.DataFrame, folder: str, fresh: LoadFresh | None) -> Deployed:
    """Measure and test the package in `folder`; `holdout`: rows with the columns of `model.dtypes`.

    Raises: NotEnoughData: the model answers none of the rows. TrainingFailed: an answer to a row is no finite number.
    """
    whole = service.experiment.suites == "full" or "deployment" in gates.suites(service.gates)
    read = gates.reads(service.gates)
    names = {name for name in MEASURED if whole or name in read}
    if not names and not whole:
        return Deployed()
    metrics, missing = _times(names, model, holdout, within_s=GATED_S if names & read & _TIMES.keys() else ENOUGH_S)
    if "model_size_mb" in names:
        metrics["model_size_mb"] = deployment_package.exactly(
            Path(folder, model.facts.model).stat().st_size / deployment_package.MB
        )
    found = _fresh(model, holdout, folder, fresh) if "model_memory_mb" in names else None
    if found is not None and found.error is None:
        metrics["model_memory_mb"] = deployment_package.exactly(found.memory_mb)
    elif "model_memory_mb" in names:
        missing["model_memory_mb"] = (found and found.error) or "no other interpreter was at hand"
    tests = _tests(service, model, holdout, metrics, missing, found) if whole else ()
    return Deployed(metrics=metrics, missing=missing, tests=tests)


def _times(
    names: set[str], model: Loaded, holdout: pl.DataFrame, *, within_s: float
) -> tuple[dict[str, Estimate], dict[str, str]]:
    """The times that are asked for, and why one of them is not known."""
    rows = holdout.head(deployment_latency.CALLS * 2).select(list(model.dtypes)).to_dicts()
    found, missing = dict[str, Estimate](), dict[str, str]()
    for size in (1, deployment_latency.BATCH):
        wanted = {name: share for name, (of, share) in _TIMES.items() if of == size and name in names}
        times = timed(model, rows, size, within_s=within_s) if wanted else []
        for name, share in wanted.items():
            try:
                found[name] = deployment_latency.percentile(times, share)
            except NotEnoughData as error:
                missing[name] = str(error)
    return found, missing


def timed(
    model: Loaded,
    rows: Sequence[dict[str, Any]],
    size: int,
    *,
    within_s: float = ENOUGH_S,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Milliseconds of calls with `size` rows each, on the path that a gateway uses; calls that fail do not count.

    Every call is timed once. After `within_s` by `clock` no further call is made, once there were `FEWEST`.

    Raises: NotEnoughData: every call failed.
    """
    times: list[float] = []
    began = clock()
    for call in range(deployment_latency.CALLS if rows else 0):
        reply = model.predict([rows[(call * size + at) % len(rows)] for at in range(size)])
        if all(isinstance(answer, Answer) for answer in reply.answers):
            times.append(reply.service_ms)
        if call + 1 >= FEWEST and clock() - began > within_s:
            break
    if not times:
        words = "one by one" if size == 1 else f"{size} at once"
        raise NotEnoughData(f"the packaged model answered none of the holdout rows when asked {words}")
    return times


def _fresh(model: Loaded, holdout: pl.DataFrame, folder: str, fresh: LoadFresh | None) -> Fresh | None:
    """What a new interpreter says of the package as an arm will find it: with a probe, also while it is being made."""
    if fresh is None:
        return None
    rows = _compared(model, holdout)
    if Path(folder, package.PROBE).is_file():
        return fresh(folder, rows)
    try:
        package.write_probe(Path(folder), rows, model)
        found = fresh(folder, rows)
    finally:  # a last fit may follow, with answers of its own
        for name in (package.PROBE, package.PROBE_ANSWERS):
            Path(folder, name).unlink(missing_ok=True)
    if found.error is None:
        return found
    return replace(fresh(folder, rows), error=found.error)  # without a probe it may still tell what differs


def _compared(model: Loaded, holdout: pl.DataFrame) -> pl.DataFrame:
    return holdout.head(COMPARED_ROWS).select(list(model.dtypes))


def _tests(
    service: Service,
    model: Loaded,
    holdout: pl.DataFrame,
    metrics: dict[str, Estimate],
    missing: dict[str, str],
    found: Fresh | None,
) -> tuple[TestResult, ...]:
    objectives = service.serving.objectives
    limits = {"latency_p50_ms": objectives.latency_p50_ms, "latency_p99_ms": objectives.latency_p99_ms}
    tests = [
        deployment_latency.result(name, metrics[name], limit=limits.get(name))
        for name in sorted(metrics)
        if name.startswith("latency")
    ]
    tests += [deployment_latency.unknown(name, missing[name]) for name in sorted(missing) if name in _TIMES]
    if found is not None:
        tests.append(deployment_package.clean_process(found))
    if found is not None and found.features is not None:
        rows, where = _compared(model, holdout), "in a clean process"
        tests.append(deployment_features.packaged(model.features(rows), found.features, where=where))
        here = model.predict(rows.to_dicts()).answers
        tests.append(deployment_package.same_answers(here, found.answers, where=where))
    return tuple(tests)
