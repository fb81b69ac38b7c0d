"""Simulated models: as good as they are declared to be, on the secrets of the rows. Pure.

Theory of operation. A row's secret is four numbers: what is true of it, what every model sees of that, and the same two
again of somebody else's row. A model that is not blurred answers from the first two, so two such models agree; with
probability `blur`, decided by the row and so alike for all models of that blur, it answers as if it had been asked
about the other row: a guess. So `blur` costs right answers and leaves the distribution of the scores as it was.
"""

from collections.abc import Sequence
from math import exp
from typing import Any, Final

import numpy as np

from flyball.core.contract import DataContract
from flyball.core.model import Label
from flyball.core.prediction import Answer
from flyball.core.record import Record
from flyball.core.service import Task

BLUR: Final = 0.2  # of the first release: there is room for a better one
FORGETS: Final = 0.15  # blur for each standard deviation that a feature has moved since the training
SEES: Final = 2.5  # standard deviations between the classes in what a model sees
RIGHT: Final = 0.40  # what a row answered in earnest gains over a guess, in the share of right answers
CLASSES: Final = 3  # of a text label without a list of its values

Secret = tuple[float, float, float, float, float]


def secrets(rng: np.random.Generator, n: int) -> list[Secret]:
    """Of n rows: truth in [0, 1), signal, blur's lot in [0, 1), truth and signal of the other row."""
    uniform, normal = rng.random((n, 3)), rng.standard_normal((n, 2))
    stacked = np.column_stack([uniform[:, 0], normal[:, 0], uniform[:, 1], uniform[:, 2], normal[:, 1]])
    return [tuple(row) for row in stacked.tolist()]


class Labels(Record):
    """What can be true of a row."""

    task: Task
    classes: tuple[Label, ...] = ()  # in the order of scores; empty: a regression
    threshold: float = 0.5

    def truth(self, secret: Secret) -> Label:
        """The label that will come."""
        return self._true(secret[0])

    def _true(self, truth: float) -> Label:
        return self.classes[int(truth * len(self.classes))] if self.classes else 100.0 * truth

    def answer(self, secret: Secret, blur: float) -> Answer:
        """What a model of this blur says."""
        truth, signal = (secret[0], secret[1]) if secret[2] >= blur else (secret[3], secret[4])
        if self.task == "regression":
            return Answer(prediction=100.0 * truth + 5.0 * signal)
        at, k = int(truth * len(self.classes)), len(self.classes)
        if self.task == "binary":
            score = 1.0 / (1.0 + exp(-SEES * (signal + SEES * (at - 0.5))))
            return Answer(prediction=self.classes[int(score >= self.threshold)], score=score)
        said = at if signal > -1.0 else (at + 1) % k
        top = 0.55 + 0.4 / (1.0 + exp(-signal))
        shares = {str(name): top if i == said else (1.0 - top) / (k - 1) for i, name in enumerate(self.classes)}
        return Answer(prediction=self.classes[said], scores=shares)


def labels_of(contract: DataContract, label: str, task: Task, threshold: float) -> Labels:
    """The classes that the contract's label column speaks of; 0 and 1 where it says nothing.

    >>> from flyball.core.contract import Column
    >>> told = DataContract(id="c", version="1", table="t", columns=(Column(name="y", kind="boolean"),))
    >>> labels_of(told, "y", "binary", 0.5).classes
    (False, True)
    """
    if task == "regression":
        return Labels(task=task)
    column = next((each for each in contract.columns if each.name == label), None)
    classes: Sequence[Any] = (0, 1) if task == "binary" else tuple(range(CLASSES))
    if column is not None and column.enum is not None:
        classes = column.enum
    elif column is not None and column.kind == "boolean":
        classes = (False, True)
    elif column is not None and column.kind == "string":
        classes = tuple(f"c{i}" for i in classes)
    return Labels(task=task, classes=tuple(classes), threshold=threshold)


class Made(Record):
    """What a simulated release is like."""

    root: str
    error_ratio: float = 1.0
    slow_ratio: float = 1.0
    metric_change: float = 0.0
    fails: str | None = None  # the metric of a gate
    learned: dict[str, float] = {}  # shift of each feature when it was trained

    def blur(self, shifts: dict[str, float]) -> float:
        """Share of the rows at which it guesses, as the features are distributed now.

        >>> Made(root="a").blur({}), Made(root="a", metric_change=-0.08).blur({}), Made(root="a").blur({"x": 2.0})
        (0.2, 0.4, 0.5)
        """
        moved = sum(abs(shifts.get(name, 0.0) - self.learned.get(name, 0.0)) for name in {*shifts, *self.learned})
        return round(min(1.0, max(0.0, BLUR - self.metric_change / RIGHT + FORGETS * moved)), 9)
