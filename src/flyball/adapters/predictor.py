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

from flyball.adapters import formats
from flyball.adapters.code import import_code
from flyball.core.errors import Untrusted
from flyball.core.frames import conform, frame
from flyball.core.ids import short
from flyball.core.model import Model, ModelFile, Packaged, Predictions, Scores, answers
from flyball.core.prediction import Answer, ArmReply, Failure

RELEASE, CODE, PICKLE = "release.json", "code", "model.pkl"
PROBE, PROBE_PREDICTIONS = "probe.parquet", "probe_predictions.json"
PROBE_TOLERANCE = 1e-9  # the last bits of a sum may depend on the processor

# scikit-learn reads this when it is first imported: one thread a prediction, as neighbours on the machine want to run
# too and small batches only lose by being split; a process that wants another number sets it before
os.environ.setdefault("OMP_NUM_THREADS", "1")


def load(folder: str, *, release: str = "") -> "FolderPredictor":
    """Load model and code. `release` is the root under which it answers.

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
    predictor = FolderPredictor(release, Model(facts=facts, estimator=estimator, make_features=code.features))
    if (path / PROBE).is_file():  # not yet, while the release is being made
        _ask_probe(path, predictor)
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

    def __init__(self, release: str, model: Model) -> None:
        self._release = release
        self.model = model
        self._dtypes = dict(model.dtypes)

    @property
    def release(self) -> str:
        return self._release

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
        """As it was pickled; None where the file is an exported form, which nobody can fit further."""
        return self.model.estimator if self.facts.model.endswith(".pkl") else None

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        """One answer a row, in order. Where the batch fails, each row is asked alone: only bad rows fail."""
        started = time.perf_counter()
        found = self._together(rows)
        if isinstance(found, Failure):
            found = [found] if len(rows) == 1 else [self._alone(row) for row in rows]
        return ArmReply(answers=tuple(found), service_ms=(time.perf_counter() - started) * 1e3)

    def predict_frame(self, table: pl.DataFrame) -> tuple[Predictions, Scores]:
        """Predictions and scores of many rows at once; columns as `dtypes`. Raises what the model raises."""
        return self.model.predict_frame(table)

    def _together(self, rows: Sequence[dict[str, Any]]) -> list[Answer | Failure] | Failure:
        if not rows:
            return []
        try:
            return answers(*self.model.predict_frame(frame(rows, self._dtypes)), self.facts)
        except Exception as error:  # the model's own fault, whatever it is, is an answer: the arm failed
            return Failure(reason="exception", message=f"{type(error).__name__}: {error}")

    def _alone(self, row: dict[str, Any]) -> Answer | Failure:
        found = self._together([row])
        return found if isinstance(found, Failure) else found[0]
