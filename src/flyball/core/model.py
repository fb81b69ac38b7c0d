"""A model as it is packaged and asked: the one path from a typed frame to predictions, in training and in serving.

Pure: the estimator and the features function are handed in by whoever loaded them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.contract import Kind
from flyball.core.frames import DTYPES
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.core.record import Record
from flyball.core.release import Attributions
from flyball.core.service import Task

Features = Callable[[pl.DataFrame], pl.DataFrame]
Label = str | float | int | bool
Predictions = npt.NDArray[Any]  # labels or numbers, shape [n]
Scores = npt.NDArray[np.float64] | None  # P(positive) [n]; P(class) [n, k]; None for regression
# pickle protocol 5, ONNX, LightGBM's own text, XGBoost's own binary JSON, files of a class of the service's own
ModelFile = Literal["model.pkl", "model.onnx", "model.txt", "model.ubj", "model.tar"]
CODE_PACKAGE = "flyball_code_"  # begins the name of the package under which a service's code is imported


class Input(Record):
    """One column that `features` sees: a contract column other than the label."""

    name: str
    kind: Kind


class Packaged(Record):
    """All that is needed to serve a release beside its model file: `release.json`, part of the root."""

    service: str
    task: Task
    threshold: float  # binary: prediction is the positive class where score >= threshold
    label: str
    classes: tuple[Label, ...]  # in the order of the scores; of two, the second is the positive one
    inputs: tuple[Input, ...]  # in the contract's order
    plain: tuple[str, ...]  # inputs that are features where the module has no `features` function
    module: str  # file of the code folder with `train` and perhaps `features`
    code: str  # digest of the code folder
    model: ModelFile = "model.pkl"
    schema: Literal["release/v1"] = "release/v1"


class Exported(Record):
    """An estimator in a format that runs no code of ours or of the user's when it is read."""

    model: ModelFile
    data: bytes
    tolerance: float  # how far scores and numbers may be from the original's, absolute up to 1 and relative above


class Formats(Protocol):
    """Port: writes estimators in formats other than pickle, and reads them."""

    def write(self, model: ModelFile, estimator: Any, sample: pl.DataFrame) -> Exported | str:
        """The estimator in this format, or in words why there is none. `sample`: some rows of features.

        What comes back is a claim: nothing has been compared yet.
        """
        ...

    def read(self, model: ModelFile, data: bytes) -> Any:
        """Something with `predict` and `predict_proba`, as far as the estimator had them.

        Raises: Unavailable: the extra that reads this format is not installed.
        """
        ...


class Fresh(Record):
    """What a new interpreter found out about a package."""

    import_s: float  # everything that is imported before the package is opened
    load_s: float  # code, model file, probe, first answer
    memory_mb: float  # resident afterwards, the whole process, MB of 10**6 bytes
    error: str | None = None  # why it could not
    features: pl.DataFrame | None = None  # of the rows that it was given
    answers: tuple[Answer, ...] = ()  # to them
    imported: tuple[str, ...] = ()  # the larger libraries that it had to import, sorted


class LoadFresh(Protocol):
    """Port: loads a package in a new interpreter and asks it for features of, and answers to, some rows."""

    def __call__(self, folder: str, rows: pl.DataFrame) -> Fresh: ...


class Attribute(Protocol):
    """Port: what answers rest on. `estimator` None: only `answer` can be asked, about rows like those of `table`."""

    def __call__(
        self,
        estimator: Any,
        table: pl.DataFrame,
        answer: Callable[[pl.DataFrame], npt.NDArray[np.float64]],
        *,
        output: str,
        seed: int,
    ) -> Attributions: ...


class Render(Protocol):
    """Port: a Vega-Lite specification as SVG text. Raises: Unavailable: nothing that draws is installed."""

    def __call__(self, spec: dict[str, Any]) -> str: ...


class Code(Record):
    """What the user's module offers."""

    train: Callable[..., Any]
    features: Features | None = None


@dataclass(frozen=True, kw_only=True)
class Model:
    """A fitted estimator with its features code and facts."""

    facts: Packaged
    estimator: Any  # scikit-learn interface
    make_features: Features | None

    @property
    def dtypes(self) -> Mapping[str, pl.DataType]:
        return {column.name: DTYPES[column.kind] for column in self.facts.inputs}

    def features(self, frame: pl.DataFrame) -> pl.DataFrame:
        return features(self.make_features, frame, self.facts.plain)

    def predict_frame(self, frame: pl.DataFrame) -> tuple[Predictions, Scores]:
        """Predictions and scores of a frame that has the columns of `dtypes`.

        Raises: whatever the user's code or the estimator raises; ValueError where the answer has another length.
        """
        return outputs(self.estimator, self.features(frame), self.facts)


def features(make: Features | None, frame: pl.DataFrame, plain: tuple[str, ...]) -> pl.DataFrame:
    """What the estimator gets: the user's `features`, else the plain columns.

    >>> features(None, pl.DataFrame({"at": [1], "x": [2]}), ("x",)).columns
    ['x']
    """
    if make is None:
        return frame.select(plain)
    made = make(frame)
    if not isinstance(made, pl.DataFrame):
        raise TypeError(f"features() must return a polars DataFrame, found {type(made).__name__}")
    if made.height != frame.height:
        raise ValueError(f"features() must return one row a row: {frame.height} went in, {made.height} came out")
    return made


def classes_of(estimator: Any, label: pl.Series) -> tuple[Label, ...]:
    """Classes in the order of an estimator's probabilities: as it names them, else the labels, sorted.

    One that names places only (0 to k - 1, XGBoost knows no others) means the sorted labels, as `LabelEncoder` has
    them. `label`: of the rows that it was fitted on.

    >>> class Places: classes_ = np.arange(2)
    >>> classes_of(Places(), pl.Series(["no", "yes", "no"])), classes_of(Places(), pl.Series([True, False]))
    (('no', 'yes'), (False, True))
    >>> classes_of(object(), pl.Series([2, 1])), classes_of(Places(), pl.Series([0, 1]))
    ((1, 2), (0, 1))
    """
    labels: list[Label] = label.unique().sort().to_list()
    named = getattr(estimator, "classes_", None)
    classes: list[Label] = labels if named is None else np.asarray(named).tolist()
    return tuple(labels if classes == list(range(len(labels))) else classes)


def outputs(estimator: Any, table: pl.DataFrame, facts: Packaged) -> tuple[Predictions, Scores]:
    """One call of the estimator: `predict` for regression, `predict_proba` else; the label follows from the scores."""
    ask = estimator.predict if facts.task == "regression" else estimator.predict_proba
    return judged(ask(table), table.height, facts)


def judged(found: Any, rows: int, facts: Packaged) -> tuple[Predictions, Scores]:
    """What an estimator found for so many rows, as predictions and scores. Raises: ValueError: of another shape."""
    if facts.task == "regression":
        return _of_length(np.asarray(found, dtype=np.float64).ravel(), rows), None
    shares = _of_length(np.asarray(found, dtype=np.float64), rows)
    if shares.ndim != 2 or shares.shape[1] != len(facts.classes):
        raise ValueError(f"expected {len(facts.classes)} probabilities a row, found shape {shares.shape}")
    labels = np.array(facts.classes)
    if facts.task == "binary":
        return labels[(shares[:, 1] >= facts.threshold).astype(np.int64)], shares[:, 1]
    return labels[np.argmax(shares, axis=1)], shares


def answers(predictions: Predictions, scores: Scores, facts: Packaged) -> list[Answer | Failure]:
    """One answer a row in plain Python values; a number that is not finite is a failure, never an answer."""
    labels: list[Label] = predictions.tolist()
    if facts.task == "regression":
        finite = np.isfinite(predictions).tolist()
        return [Answer(prediction=x) if ok else _invalid("prediction") for x, ok in zip(labels, finite, strict=True)]
    assert scores is not None
    if scores.ndim == 1:
        shares = scores.tolist()
        usable = ((scores >= 0.0) & (scores <= 1.0)).tolist()  # NaN compares false
        return [
            Answer(prediction=label, score=share) if ok else _invalid("score")
            for label, share, ok in zip(labels, shares, usable, strict=True)
        ]
    names = [str(label) for label in facts.classes]
    usable = np.all((scores >= 0.0) & (scores <= 1.0), axis=1).tolist()
    return [
        Answer(prediction=label, scores=dict(zip(names, row, strict=True))) if ok else _invalid("scores")
        for label, row, ok in zip(labels, scores.tolist(), usable, strict=True)
    ]


def binary_answers(found: Any, rows: int, facts: Packaged, labels: Sequence[Label]) -> list[Answer | Failure]:
    """`answers` of what `judged` makes of a binary estimator's word, without an array for each step: rows are few.

    Args: labels: `plain_labels` of the facts. Raises: ValueError: of another shape.
    """
    shares = _of_length(np.asarray(found, dtype=np.float64), rows)
    if shares.ndim != 2 or shares.shape[1] != len(labels):
        raise ValueError(f"expected {len(labels)} probabilities a row, found shape {shares.shape}")
    negative, positive = labels
    threshold = facts.threshold
    return [
        Answer(prediction=positive if share >= threshold else negative, score=share)
        if 0.0 <= share <= 1.0
        else _invalid("score")
        for share in shares[:, 1].tolist()
    ]


def plain_labels(facts: Packaged) -> list[Label]:
    """The classes as answers name them: of one kind, as an array holds them.

    >>> np.array((0, 1.5)).tolist()
    [0.0, 1.5]
    """
    labels: list[Label] = np.array(facts.classes).tolist()
    return labels


def _invalid(what: str) -> Failure:
    return Failure(reason="invalid", message=f"the model's {what} is not a finite number in its range")


def _of_length(values: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    if values.shape[:1] != (rows,):
        raise ValueError(f"expected {rows} answers, found shape {values.shape}")
    return values


class Loaded(Protocol):
    """Port: a release loaded from its folder, as a gateway asks it (`predict`) and as a table is scored."""

    @property
    def release(self) -> str: ...

    @property
    def facts(self) -> Packaged: ...

    @property
    def dtypes(self) -> Mapping[str, pl.DataType]: ...

    def features(self, table: pl.DataFrame) -> pl.DataFrame: ...
    @property
    def estimator(self) -> Any:
        """What train() returned; None where the package holds an exported form only."""
        ...

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply: ...

    def predict_frame(self, frame: pl.DataFrame) -> tuple[Predictions, Scores]: ...


class Load(Protocol):
    """Port: opens a release folder that was verified."""

    def __call__(self, folder: str, *, release: str = "") -> Loaded: ...


ImportCode = Callable[[str, str, str], Code]  # folder, digest of the folder, entry file
