"""What each regime answered to the same rows, and how good that was."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label
from flyball.stats import metrics

REGIMES = ("frozen", "scheduled", "scheduled_instant", "governed")


@dataclass
class Track:
    """Answers of one regime, one entry a row after `train_rows`, in stream order. None: the client got no answer."""

    predictions: list[Any] = field(default_factory=list)
    scores: list[Any] = field(default_factory=list)  # P(positive), or P(class) in the order of the classes, or None


@dataclass(frozen=True)
class Scale:
    """The metric that all regimes are measured by, on the same rows."""

    metric: str
    truth: Sequence[Any]
    classes: Sequence[Label]

    @property
    def better(self) -> str:
        return metrics.METRICS[self.metric].direction

    def value(self, track: Track, start: int = 0, stop: int | None = None) -> float | None:
        """The metric over a range of rows; None where it is not defined there (one class only, no rows).

        A row without an answer cannot be scored by most metrics; accuracy counts it as wrong.
        """
        truth = list(self.truth[start:stop])
        predictions = track.predictions[start:stop]
        scores = track.scores[start:stop]
        wrong = sum(prediction is None for prediction in predictions)
        kept = [i for i, prediction in enumerate(predictions) if prediction is not None]
        needs_score = metrics.METRICS[self.metric].needs == "score"
        try:
            figure = metrics.score(
                self.metric,
                np.asarray([truth[i] for i in kept]),
                None if needs_score else np.asarray([predictions[i] for i in kept]),
                np.asarray([scores[i] for i in kept], dtype=np.float64) if needs_score else None,
                classes=self.classes or None,
            )
        except NotEnoughData:
            return None
        if self.metric == "accuracy" and wrong:
            return figure * len(kept) / (len(kept) + wrong)
        return figure
