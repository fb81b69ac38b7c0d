"""A release folder as something that answers. Call it with a folder that the store of releases has verified, only.

scikit-learn is imported by the pickle itself, onnxruntime and LightGBM by the formats that they read: a process pays
for what its releases need and for nothing else.
"""

import os
import pickle
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import polars as pl

from flyball.adapters.models import formats
from flyball.adapters.models.code import import_code
from flyball.adapters.models.own_model import OwnEstimator
from flyball.adapters.models.row_matrix import row_matrix
from flyball.core.errors import Untrusted
from flyball.core.frames import conform, frame
from flyball.core.ids import short
from flyball.core.model import (
    Model,
    ModelFile,
    Packaged,
    Predictions,
    Scores,
    answers,
    binary_answers,
    judged,
    plain_labels,
)
from flyball.core.prediction import Answer, ArmReply, Failure

RELEASE, CODE, PICKLE = "release.json", "code", "model.pkl"
PROBE, PROBE_PREDICTIONS = "probe.parquet", "probe_predictions.json"
PROBE_TOLERANCE = 1e-9  # the last bits of a sum may depend on the processor

# scikit-learn reads this when it is first imported: one thread a prediction, as neighbours on the machine want to run
# too and small batches only lose by being split; a process that wants another number sets it before
os.environ.setdefault("OMP_NUM_THREADS", "1")


def load(folder: str, *, release: str = "", once: bool = False) -> "FolderPredictor":
    """Load model and code. `release` is the root under which it answers; `once`: no row is ever asked again.

    Raises: Untrusted: it answers its probe rows otherwise than when it was made. Unavailable: the extra that reads its
    format is not installed. And whatever unpickling or importing raises: the bytes were verified, but the environment
    may be another.
    """
    path = Path(folder)
    facts = msgspec.json.decode((path / RELEASE).read_bytes(), type=Packaged)
    code = import_code(str(path / CODE), facts.code, facts.module)
    estimator = _estimator(path / facts.model)
    # an estimator fitted on an array says so for each frame it is asked about; columns come in one fixed order here
    warnings.filterwarnings("ignore", message="X (has feature names|does not have valid feature names)")
    model = Model(facts=facts, estimator=estimator, make_features=code.features)
    predictor = FolderPredictor(release, model, folder=path, once=once)
    predictor.verify()
    return predictor


def _estimator(file: Path) -> Any:
    if file.name == PICKLE:
        with file.open("rb") as stream:
            return pickle.load(stream)
    return formats.read(cast(ModelFile, file.name), file.read_bytes())


def _ask_probe(folder: Path, predictor: "FolderPredictor") -> None:
    """Bytes that verify may still answer otherwise here: another library version, or codes that depend on what a
    process has seen before (physical codes of categories). The rows of the probe find out.

    Raises: Untrusted: an answer differs from the one that was packaged.
    """
    rows = conform(pl.read_parquet(folder / PROBE), predictor.dtypes)
    expected = msgspec.json.decode((folder / PROBE_PREDICTIONS).read_bytes())
    predictions, scores = predictor.predict_frame(rows)
    numbers = predictions if scores is None else scores
    wanted = np.asarray(expected["predictions"] if scores is None else expected["scores"], dtype=np.float64)
    if wanted.shape != numbers.shape or not np.allclose(numbers, wanted, rtol=PROBE_TOLERANCE, atol=PROBE_TOLERANCE):
        raise Untrusted(
            f"release {short(predictor.release)} does not answer its probe rows as it did when it was made",
            hint="the environment differs, or features() depends on what its process has seen before",
        )


class FolderPredictor:
    """`core.prediction.Predictor` and `core.model.Loaded`."""

    def __init__(self, release: str, model: Model, *, folder: Path | None = None, once: bool = False) -> None:
        """`folder`: where its probe lies; None: it has none. `once`: a row is asked once, so that all fail where some
        did (`serving.idempotent: false`)."""
        self._release, self._folder, self.once = release, folder, once
        self.model = model
        self._dtypes = dict(model.dtypes)
        kinds = {column.name: column.kind for column in model.facts.inputs}
        self._labels = plain_labels(model.facts) if model.facts.task == "binary" else []
        bare = model.make_features is None and getattr(model.estimator, "takes_matrix", False)
        self._matrix = row_matrix([(name, kinds[name]) for name in model.facts.plain]) if bare else None

    @property
    def release(self) -> str:
        return self._release

    @property
    def bounded(self) -> bool:
        """Whether it runs no code of its author: a call takes about as long as any other of so many rows."""
        return self._matrix is not None

    def verify(self) -> None:
        """Ask the packaged probe rows, if there are any yet. Raises: Untrusted: it answers them otherwise."""
        if self._folder is not None and (self._folder / PROBE).is_file():
            _ask_probe(self._folder, self)

    @property
    def facts(self) -> Packaged:
        return self.model.facts

    @property
    def dtypes(self) -> Mapping[str, pl.DataType]:
        return self._dtypes

    def features(self, table: pl.DataFrame) -> pl.DataFrame:
        """What the packaged code makes of a frame with the columns of `dtypes`. Raises what the code raises."""
        return self.model.features(table)

    @property
    def estimator(self) -> Any:
        """What train() returned; None where the file is an exported form, which nobody can fit further."""
        found = self.model.estimator
        if isinstance(found, OwnEstimator):
            return found.own
        return found if self.facts.model.endswith(".pkl") else None

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        """One answer a row, in order. Where the batch fails, each row is asked alone, so that only bad rows fail; all
        fail where a row is asked once."""
        started = time.perf_counter()
        found = self._together(rows)
        if isinstance(found, Failure):
            alone = len(rows) > 1 and not self.once
            found = [self._alone(row) for row in rows] if alone else [found] * len(rows)
        return ArmReply(answers=tuple(found), service_ms=(time.perf_counter() - started) * 1e3)

    def predict_frame(self, table: pl.DataFrame) -> tuple[Predictions, Scores]:
        """Predictions and scores of many rows at once; columns as `dtypes`. Raises what the model raises."""
        return self.model.predict_frame(table)

    def _together(self, rows: Sequence[dict[str, Any]]) -> list[Answer | Failure] | Failure:
        if not rows:
            return []
        facts = self.facts
        try:
            matrix = self._matrix(rows) if self._matrix else None
            if matrix is None:
                return answers(*self.model.predict_frame(frame(rows, self._dtypes)), facts)
            found = self.model.estimator.ask_matrix(matrix, facts.plain, facts.task)
            if facts.task == "binary":
                return binary_answers(found, len(rows), facts, self._labels)
            return answers(*judged(found, len(rows), facts), facts)
        except Exception as error:  # the model's own fault, whatever it is, is an answer: the arm failed
            return Failure(reason="exception", message=f"{type(error).__name__}: {error}")

    def _alone(self, row: dict[str, Any]) -> Answer | Failure:
        found = self._together([row])
        return found if isinstance(found, Failure) else found[0]
