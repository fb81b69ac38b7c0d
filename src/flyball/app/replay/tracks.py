"""What each regime answered to the same rows, and how good that was."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label
from flyball.stats.scoring import metrics

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

        A row without a label tells nothing. A row without an answer cannot be scored by most metrics; accuracy counts
        it as wrong.
        """
        rows = list(zip(self.truth[start:stop], track.predictions[start:stop], track.scores[start:stop], strict=True))
        known = [row for row in rows if row[0] is not None]
        kept = [row for row in known if row[1] is not None]
        if not kept:
            return 0.0 if known and self.metric == "accuracy" else None
        needs_score = metrics.METRICS[self.metric].needs == "score"
        try:
            figure = metrics.score(
                self.metric,
                np.asarray([truth for truth, _, _ in kept]),
                None if needs_score else np.asarray([prediction for _, prediction, _ in kept]),
                np.asarray([score for _, _, score in kept], dtype=np.float64) if needs_score else None,
                classes=self.classes or None,
            )
        except NotEnoughData:
            return None
        return figure * len(kept) / len(known) if self.metric == "accuracy" else figure
