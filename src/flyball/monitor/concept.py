"""The slow way in which a concept drifts: window by window the labels agree a little less than was estimated.

What is asked is where the metric goes in days, so the figures have to reach over days: windows that come faster are
joined to one figure. A slope of three hours, reckoned for a week, is noise: it was a false warning in 7 weeks of 10.
"""

from dataclasses import dataclass, field

import numpy as np

from flyball.core.estimating import ConceptTrend
from flyball.core.release import Estimate
from flyball.stats.change.trend import trend

MOST_FIGURES = 100  # the newest ones: an older trend is history
ALPHA = 0.01  # of one look; it is looked at in every window, so it opens a question and starts nothing
RESAMPLES = 199


@dataclass(kw_only=True)
class RunningConcept:
    """Figures of one release. Memory: three numbers a figure."""

    rng: np.random.Generator  # of the simulated series that a trend is held against
    over_s: float  # the time that a trend is reckoned for, seconds; `MOST_FIGURES` reach over at least as much
    _figures: list[tuple[float, float, int]] = field(default_factory=list)  # begin, mean of its windows, windows
    _new: bool = False

    def take(self, at_s: float, value: float) -> None:
        """One window's figure. Args: at_s: seconds since the epoch. value: worse by, in the metric's unit."""
        self._new = True
        if self._figures:
            begin, mean, windows = self._figures[-1]
            if at_s - begin < self.over_s / MOST_FIGURES:
                self._figures[-1] = (begin, mean + (value - mean) / (windows + 1), windows + 1)
                return
        self._figures = [*self._figures[1 - MOST_FIGURES :], (at_s, value, 1)]

    def report(self) -> ConceptTrend | None:
        """The trend so far; None: nothing new has come since the last call."""
        if not self._new:
            return None
        self._new = False
        at, values = (np.array(column) for column in tuple(zip(*self._figures, strict=True))[:2])
        found = trend(at, values, rng=self.rng, alpha=ALPHA, resamples=RESAMPLES)
        slope = None
        if found.slope is not None and found.low is not None and found.high is not None:
            slope = Estimate(value=found.slope, low=found.low, high=found.high, n=found.n, confidence=1 - ALPHA)
        return ConceptTrend(
            verdict=found.verdict,
            reason=found.reason,
            windows=found.n,
            slope=slope,
            p=found.p,
            correlation=found.correlation,
        )
