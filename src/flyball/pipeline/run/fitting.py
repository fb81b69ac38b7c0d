"""Steps train and refit: one call of the service's `train`, and the estimator as bytes.

An estimator is always taken from its bytes, also in the run that has just fitted it: so a run that finds them and the
run that made them go on with the same object, and a release has one root whether its training was interrupted or not.
"""

import pickle
from collections.abc import Mapping
from typing import Any

import polars as pl

from flyball.core.errors import TrainingFailed
from flyball.core.model import Code, Label, Packaged, classes_of
from flyball.core.service import Scalar, Service
from flyball.pipeline.run.dice import reseed
from flyball.pipeline.run.subject import Subject
from flyball.pipeline.seed import seed_of

PICKLE_PROTOCOL = 5
_ESTIMATOR = "estimator.pkl"


def fit(
    of: Subject,
    code: Code,
    made: pl.DataFrame,
    table: pl.DataFrame,
    rows: Any,
    config: Mapping[str, Scalar],
) -> Any:
    """The estimator that `train` returns for these rows.

    Raises: TrainingFailed: it is no estimator, or cannot be pickled. Whatever the service's own code raises.
    """
    chosen = rows.tolist()
    return train(of, code, made[chosen], table[of.label][chosen], config)


def train(of: Subject, code: Code, made: pl.DataFrame, label: pl.Series, config: Mapping[str, Scalar]) -> Any:
    """One call of the service's `train`, its answer looked at; the generators begin anew. Raises: as `fit`."""
    reseed(of.service.experiment.seed)
    estimator = code.train(
        made,
        label,
        config=dict(config),
        seed=seed_of(of.service.experiment.seed),
    )
    needed = "predict" if of.service.experiment.task == "regression" else "predict_proba"
    if not callable(getattr(estimator, needed, None)):
        raise TrainingFailed(f"train() must return an estimator with {needed}, found {type(estimator).__name__}")
    return estimator


def dump(estimator: Any) -> Mapping[str, bytes]:
    """Raises: TrainingFailed: it cannot be pickled."""
    try:
        return {_ESTIMATOR: pickle.dumps(estimator, protocol=PICKLE_PROTOCOL)}
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TrainingFailed(
            f"the estimator cannot be pickled: {error}; define its classes and functions at the top of a module"
        ) from error


def load(files: Mapping[str, bytes]) -> Any:
    """Raises: TrainingFailed: it cannot be unpickled."""
    try:
        return pickle.loads(files[_ESTIMATOR])
    except Exception as error:  # code of the service runs here
        raise TrainingFailed(f"the estimator cannot be loaded again: {type(error).__name__}: {error}") from error


def facts(of: Subject, estimator: Any, table: pl.DataFrame, rows: Any) -> Packaged:
    """What is needed to serve the estimator.

    Raises: TrainingFailed: the rows do not hold the classes of the task.
    """
    service = of.service
    return Packaged(
        service=service.metadata.name,
        task=service.experiment.task,
        threshold=service.experiment.threshold,
        label=service.data.label,
        classes=_classes(service, estimator, table[service.data.label][rows.tolist()]),
        inputs=of.inputs,
        plain=of.plain,
        module=service.experiment.module,
        code=of.job.code,
    )


def _classes(service: Service, estimator: Any, label: pl.Series) -> tuple[Label, ...]:
    """As the estimator orders its probabilities; sorted labels where it does not say."""
    if service.experiment.task == "regression":
        return ()
    classes = classes_of(estimator, label)
    if len(classes) < 2 or (service.experiment.task == "binary" and len(classes) != 2):
        wanted = "two classes" if service.experiment.task == "binary" else "at least two classes"
        raise TrainingFailed(f"expected {wanted} of {service.data.label!r} in the training rows, found {list(classes)}")
    return classes
