"""Step evaluate: the model as it is packaged, and what was found out about it.

Kept are the files of the package and the judgement, so what was judged is what is served also after a resume.
"""

import io
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from flyball.core.errors import FlyballError, TrainingFailed
from flyball.core.frames import conform
from flyball.core.ids import ReleaseRoot
from flyball.core.model import Packaged, Predictions, Scores
from flyball.core.ports import Tools
from flyball.core.record import Record
from flyball.core.release import Estimate, GateResult, Release, TestResult
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.run.judging import Judged, judge
from flyball.pipeline.run.packaged import Package
from flyball.pipeline.run.subject import Subject
from flyball.pipeline.run.testing import Fit
from flyball.pipeline.split import Split
from flyball.pipeline.suites import deployment_features

_JUDGED, _ARRAYS, _FILES = "judged.json", "scored/", "package/"
_SCORED = ("truth", "predictions", "scores")
_TOLD: dict[str, Any] = {
    "metrics": dict[str, Estimate],
    "measured": dict[str, Estimate],
    "missing": dict[str, str],
    "results": tuple[GateResult, ...],
    "tests": tuple[TestResult, ...],
}


class Evaluated(Record):
    """A judged candidate and the files of its package."""

    judged: Judged
    files: dict[str, bytes]  # path in the release folder -> content


def evaluate(
    of: Subject,
    table: pl.DataFrame,
    parts: Split,
    known: Packaged,
    estimator: Any,
    package: Package,
    tools: Tools,
    *,
    fit: Fit,
    made: pl.DataFrame,
    cost: float | None,
) -> Evaluated:
    """Package, load, ask.

    Args: fit: the service's train as the suites call it. made: features of the whole table. cost: see `judge`.

    Raises: TrainingFailed: it cannot be packaged, or its answers are no numbers.
    """
    held = parts.holdout.tolist()
    files = package.write(known, estimator, made[held])
    loaded = package.loaded
    again = deployment_features.packaged(
        made[held], loaded.features(conform(table[held], loaded.dtypes)), where="after loading"
    )
    try:
        judged = judge(
            of.job,
            of.service,
            table,
            parts,
            loaded,
            tools.load,
            fresh=tools.fresh,
            fit=fit,
            made=made,
            tests=(*package.tests, again),
            cost=cost,
        )
    except FlyballError:
        raise
    except Exception:  # a judge may stumble over answers that are no numbers: then that is what went wrong
        _finite(*loaded.predict_frame(conform(table[held], loaded.dtypes)))
        raise
    _finite(judged.scored.predictions, judged.scored.scores)
    return Evaluated(judged=judged, files=files)


def judge_again(of: Subject, release: Release, table: pl.DataFrame, parts: Split, tools: Tools) -> Release:
    """The same release with the gates of the job's declaration; nothing is fitted.

    Raises: TrainingFailed: the job does not say where the release is.
    """
    job = of.job
    if job.judged_folder is None:
        raise TrainingFailed("the job names a release to judge and not its folder")
    judged = judge(
        job,
        of.service,
        table,
        parts,
        tools.load(job.judged_folder, release=release.root),
        tools.load,
        fresh=tools.fresh,
        cost=None if (paid := release.metrics.get("cost")) is None else paid.value,
        known=release,
    )
    return replace(
        release,
        metrics=release.metrics | judged.metrics | judged.measured,
        gates=judged.results,
        tests=judged.tests,
        passed=judged.passed,
        compared_with=ReleaseRoot(job.champion) if job.champion is not None else None,
        rubber_stamped=job.champion is None,
    )


def with_tests(judged: Judged, tests: tuple[TestResult, ...]) -> Judged:
    """The judgement with these results in place of those of the same names."""
    new = {(test.suite, test.name) for test in tests}
    return replace(judged, tests=(*(test for test in judged.tests if (test.suite, test.name) not in new), *tests))


def dump(found: Evaluated) -> Mapping[str, bytes]:
    """Files that hold numbers and words only: reading them runs nothing."""
    told = {name: msgspec.to_builtins(getattr(found.judged, name)) for name in _TOLD}
    arrays = {name: getattr(found.judged.scored, name) for name in _SCORED}
    return (
        {_JUDGED: msgspec.json.encode(told)}
        | {f"{_ARRAYS}{name}.npy": _npy(array) for name, array in arrays.items() if array is not None}
        | {_FILES + path: data for path, data in found.files.items()}
    )


def load(files: Mapping[str, bytes], package: Package) -> Evaluated:
    """What `dump` gave, and the package's files in their place."""
    arrays = {name: _array(files.get(f"{_ARRAYS}{name}.npy")) for name in _SCORED}
    told = msgspec.json.decode(files[_JUDGED], type=dict[str, Any])
    judged = Judged(scored=Scored(**arrays), **{name: msgspec.convert(told[name], _TOLD[name]) for name in _TOLD})
    written = {path.removeprefix(_FILES): data for path, data in files.items() if path.startswith(_FILES)}
    package.restore(written)
    return Evaluated(judged=judged, files=written)


def _npy(array: npt.NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _array(data: bytes | None) -> Any:
    return None if data is None else np.load(io.BytesIO(data), allow_pickle=False)


def _finite(predictions: Predictions, scores: Scores) -> None:
    """Raises: TrainingFailed: an answer to a holdout row is no finite number."""
    numbers = predictions if scores is None else scores
    bad = ~np.isfinite(np.asarray(numbers, dtype=np.float64)).reshape(len(numbers), -1).all(axis=1)
    if bad.any():
        what = "prediction" if scores is None else "score"
        raise TrainingFailed(
            f"the model's {what} is not a finite number for {int(bad.sum())} of {len(numbers)} holdout rows",
            hint="missing or extreme inputs that the estimator does not handle are a common cause",
        )
