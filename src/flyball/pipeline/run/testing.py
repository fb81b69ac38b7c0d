"""The suites around one candidate: gathers what they need from the job, its folder and the service's code."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.codec import canonical
from flyball.core.errors import TrainingFailed
from flyball.core.frames import conform
from flyball.core.model import Label, Loaded, Packaged, Predictions, Scores, classes_of, outputs
from flyball.core.ports import TrainingJob
from flyball.core.release import Baseline
from flyball.core.service import Service
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.packing import BASELINE
from flyball.pipeline.seed import seed_of
from flyball.pipeline.split import Split
from flyball.pipeline.suites.found import Found, merged
from flyball.pipeline.suites.personal import Finding, in_file, in_table, redacted, told
from flyball.pipeline.suites.plan import Plan, plan
from flyball.pipeline.suites.subject import Learn, Subject
from flyball.pipeline.suites.whole import Streams, data_suite, model_suite, training_suite

Fit = Callable[[pl.DataFrame, pl.Series], Any]  # features and label -> an estimator: the user's train()
CODE_ENDINGS = (".py", ".yaml", ".yml", ".toml")  # may name an owner's address; secrets are looked for in them too
SECRETS = ("key", "token", "password")


@dataclass(frozen=True, kw_only=True)
class Refit:
    """A model fitted for a test."""

    estimator: Any
    facts: Packaged

    @property
    def classes(self) -> tuple[Label, ...]:
        return self.facts.classes

    def predict(self, made: pl.DataFrame) -> tuple[Predictions, Scores]:
        return outputs(self.estimator, made, self.facts)


def learning(fit: Fit, facts: Packaged) -> Learn:
    """The user's `train` as the suites call it: classes in the order of the estimator at hand."""

    def learn(made: pl.DataFrame, label: pl.Series) -> Refit:
        estimator = fit(made, label)
        named = facts.classes and hasattr(estimator, "classes_")
        classes = classes_of(estimator, label) if named else facts.classes
        if facts.classes and len(classes) < 2:
            raise ValueError(f"a sample of {label.len()} rows holds one class only")
        return Refit(estimator=estimator, facts=replace(facts, classes=classes))

    return learn


def tested(
    job: TrainingJob,
    service: Service,
    table: pl.DataFrame,
    parts: Split,
    candidate: Loaded,
    wide: Scored,
    classes: tuple[Label, ...],
    *,
    fit: Fit | None,
    made: pl.DataFrame | None,
) -> Found:
    """Everything the plan asks for, and the privacy scan.

    Args: wide: answers over `classes`. fit: the user's train(); None: what trains again is left to earlier results.
    made: features of the whole table, in its order.
    """
    chosen: Plan = plan(service)
    rows = (parts.train.tolist(), parts.holdout.tolist())
    facts = candidate.facts
    subject = Subject(
        service=service,
        contract=job.contract,
        train=table[rows[0]],
        holdout=table[rows[1]],
        plain=facts.plain,
        made_train=None if made is None else made[rows[0]],
        made_holdout=None if made is None else made[rows[1]],
        scored=wide,
        classes=classes,
        predict=lambda frame: _over(candidate.predict_frame(conform(frame, candidate.dtypes)), facts, classes),
    )
    streams = _streams(service.experiment.seed)
    learn = None if fit is None else learning(fit, facts)
    found = [
        data_suite(subject, now=_read_at(job), streams=streams),
        scanned(job, service, table, folder=Path(job.output_folder)),
        training_suite(subject, chosen, learn, streams=streams),
        model_suite(
            subject, chosen, learn, _golden(job, service, candidate), _log(job, service, candidate), streams=streams
        ),
    ]
    return merged(found)


def scanned(job: TrainingJob, service: Service, table: pl.DataFrame | None, *, folder: Path) -> Found:
    """Personal data and secrets in the rows and in every file of the release folder, and in the training's log.

    Args: table: the rows, or None where only files are looked at. folder: whatever it holds at this moment.
    """
    personal = tuple(column.name for column in job.contract.columns if column.personal) if job.contract else ()
    findings: list[Finding] = []
    looked: dict[str, int] = {}
    if table is not None:
        findings += in_table(table, file="data", personal=personal)
        looked["values of the data"] = table.height * table.width
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what the user's code printed is in the log, not in a buffer
    files = [(path, path.relative_to(folder).as_posix()) for path in sorted(folder.rglob("*")) if path.is_file()]
    logs = [*folder.parent.glob("*.log"), *(folder.parent / "process").glob("*.log")]  # in process, in a child
    files += [(path, f"log {path.name}") for path in sorted(logs)]
    for path, name in files:
        data = path.read_bytes()
        looked["bytes of files"] = looked.get("bytes of files", 0) + len(data)
        if path.suffix == ".parquet":
            findings += in_table(pl.read_parquet(data), file=name, personal=personal, kept=True)
            continue
        found = in_file(name, _values_of_rows(data) if name == BASELINE else data)
        findings += [one for one in found if path.suffix not in CODE_ENDINGS or any(w in one.kind for w in SECRETS)]
    name = "personal data and secrets" if table is not None else "personal data and secrets in files"
    return told(findings, looked_at=looked, mode=service.experiment.tests.personal, name=name)


def _values_of_rows(data: bytes) -> bytes:
    """Of a baseline what may be a value of a row: edges and categories. A sum of losses with as many digits as a card
    is none, and one in some tens has its check digit."""
    normal = msgspec.json.decode(data, type=Baseline)
    return canonical(replace(normal, labelled=None, outcomes=None))


def sample_of(job: TrainingJob, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as they may be kept beside a release: classified columns redacted."""
    personal = tuple(column.name for column in job.contract.columns if column.personal) if job.contract else ()
    return redacted(rows, personal)


def _streams(seed: str) -> Streams:
    def stream(name: str) -> np.random.Generator:
        own = int.from_bytes(sha256(name.encode()).digest()[:4])
        return np.random.default_rng([seed_of(seed), own])  # noqa: TID251 -- a verb makes it

    return stream


def _read_at(job: TrainingJob) -> datetime:
    """When the rows were read: the snapshot's moment, else now."""
    if job.snapshot.as_of is not None:
        return datetime.fromisoformat(job.snapshot.as_of).astimezone(UTC).replace(tzinfo=None)
    return datetime.now(UTC).replace(tzinfo=None)  # noqa: TID251 -- a verb reads the clock


def _over(
    answers: tuple[Predictions, Scores], facts: Packaged, classes: tuple[Label, ...]
) -> tuple[Predictions, Scores]:
    """Scores over the classes that are judged, which may be more than the model knows."""
    predictions, scores = answers
    if scores is None or scores.ndim == 1 or facts.classes == classes:
        return predictions, scores
    wide = np.zeros((len(scores), len(classes)))
    wide[:, [classes.index(label) for label in facts.classes]] = scores
    return predictions, wide


def _golden(job: TrainingJob, service: Service, candidate: Loaded) -> tuple[pl.DataFrame, pl.Series] | None:
    """The golden rows, written beside the code by whoever made the job; the experiment names them by their digest.

    Raises: TrainingFailed: it is not there, or has no column `prediction`.
    """
    name = service.experiment.tests.golden
    if name is None:
        return None
    path = Path(job.service_folder) / name
    if not path.is_file():
        raise TrainingFailed(f"the golden set {name!r} is not beside service.yaml")
    table = pl.read_csv(path, infer_schema_length=None)
    if "prediction" not in table.columns:
        raise TrainingFailed(f"the golden set {name!r} has no column `prediction`: {', '.join(table.columns)}")
    return conform(_parsed(table, candidate), candidate.dtypes), table["prediction"]


def _log(job: TrainingJob, service: Service, candidate: Loaded) -> pl.DataFrame | None:
    """The off-policy log, likewise. Raises: TrainingFailed: it is not there, or lacks an input of the model."""
    test = service.experiment.tests.off_policy
    if test is None:
        return None
    path = Path(job.service_folder) / test.log
    if not path.is_file():
        raise TrainingFailed(f"the off-policy log {test.log!r} is not beside service.yaml")
    csv = path.suffix == ".csv"
    table = pl.read_csv(path, infer_schema_length=None) if csv else pl.read_parquet(path)
    if lacking := [name for name in candidate.dtypes if name not in table.columns]:
        raise TrainingFailed(f"the off-policy log {test.log!r} lacks inputs of the model: {', '.join(lacking)}")
    return _parsed(table, candidate)


def _parsed(table: pl.DataFrame, candidate: Loaded) -> pl.DataFrame:
    """Times that a text file holds as text."""
    times = [
        pl.col(name).str.to_datetime(strict=True).cast(dtype)
        for name, dtype in candidate.dtypes.items()
        if dtype.is_temporal() and name in table.columns and table[name].dtype == pl.String
    ]
    return table.with_columns(times)
