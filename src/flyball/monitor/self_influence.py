"""Does the model learn from its own doing? The share of rows it caused, other arms beside it, and a guard on its pace.

An answer that acts changes what is seen next: who gets no loan repays none. A model that is trained on such rows learns
about itself. Nothing in the log tells that from a change of the world, except rows that it did not answer: so the share
of caused rows is told before a retraining, and any other arm (a holdback above all) is held beside the champion's. A
model in a loop with itself also tends to move fast, which the guard on the change from window to window shows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from flyball.core.influence import ArmDifference, OutputChange, SelfInfluence
from flyball.core.release import Baseline, Estimate
from flyball.core.service import Task
from flyball.monitor.answers import Answers, Values, gather
from flyball.monitor.labels import Place
from flyball.stats.scoring.intervals import wilson

CHAMPION = "champion"
LEAST_ROWS = 30
Z95, Z999 = 1.959963984540054, 3.290526731491895
MOST_CHANGE = 0.10  # of shares and scores from one window to the next
MOST_CHANGE_SPREADS = 0.5  # of a regression: in interquartile ranges of its predictions on the holdout


@dataclass(kw_only=True)
class _Sums:
    """Of labels and of losses: rows, sum, sum of squares."""

    n: int = 0
    label: tuple[float, float] = (0.0, 0.0)
    loss: tuple[float, float] = (0.0, 0.0)

    def take(self, label: Values, loss: Values) -> None:
        self.n += label.size
        self.label = (self.label[0] + float(label.sum()), self.label[1] + float((label**2).sum()))
        self.loss = (self.loss[0] + float(loss.sum()), self.loss[1] + float((loss**2).sum()))


@dataclass(kw_only=True)
class RunningInfluence:
    """Since one champion began to serve. Memory: three sums an arm, and the mean of a window."""

    baseline: Baseline
    task: Task
    _arms: dict[str, _Sums] = field(default_factory=dict)
    _window: list[tuple[Values, Values | None]] = field(default_factory=list)
    _before: tuple[Values, Values, int] | None = None  # means, variances and rows of the window before

    def champion(self, answers: Answers) -> None:
        """Rows of the champion whose label counts now."""
        self._arms.setdefault(CHAMPION, _Sums()).take(*self._costs(answers))

    def others(self, places: Sequence[Place]) -> None:
        """Rows that the champion did not answer, whose time has come; those of another arm's release count."""
        by_arm: dict[str, list[Place]] = {}
        arms: dict[int, list[str | None]] = {}
        for held, at in places:
            if held.labels[at] is None or held.by[at] is None:
                continue
            names = arms.get(id(held))
            if names is None:
                names = arms[id(held)] = held.frame["arm"].to_list()
            by_arm.setdefault(names[at] or "none", []).append((held, at))
        for arm, rows in by_arm.items():
            if arm == CHAMPION:  # another release in that arm: pinned, or from before
                continue
            found = gather(rows, self.baseline, self.task)
            if found is not None:
                self._arms.setdefault(arm, _Sums()).take(*self._costs(found))

    def answered(self, prediction: Values, score: Values | None) -> None:
        """The champion's own answers of a pane."""
        self._window.append((prediction, score))

    def report(self, captured: int, caused: int, window_rows: int) -> SelfInfluence:
        """At the end of a window.

        Args: captured, caused: labelled rows that a retraining may use now, and those that a release answered.
            window_rows: that a retraining takes in all.
        """
        rows = max(captured, window_rows)
        low, high = wilson(caused, rows)
        share = Estimate(value=caused / rows, low=low, high=high, n=rows) if captured else None
        ours = self._arms.get(CHAMPION, _Sums())
        arms = tuple(self._beside(arm, found, ours) for arm, found in sorted(self._arms.items()) if arm != CHAMPION)
        return SelfInfluence(captured=captured, caused=caused, share=share, arms=arms, outputs=self._outputs())

    def _costs(self, found: Answers) -> tuple[Values, Values]:
        """(label, loss) of each row; of many classes the label has no mean."""
        if self.task == "regression":
            return found.truth, np.abs(found.truth - found.prediction)
        label = found.truth if self.task == "binary" else np.zeros(found.truth.size)
        return label, (found.truth != found.prediction).astype(np.float64)

    def _beside(self, arm: str, theirs: _Sums, ours: _Sums) -> ArmDifference:
        few = min(theirs.n, ours.n)
        if few < LEAST_ROWS:
            why = (
                f"{theirs.n} labelled rows of {arm} and {ours.n} of the champion: at least {LEAST_ROWS} each are needed"
            )
            return ArmDifference(arm=arm, rows=theirs.n, champion_rows=ours.n, verdict="INSUFFICIENT", reason=why)
        loss = _difference(ours.loss, ours.n, theirs.loss, theirs.n)
        label = None if self.task == "multiclass" else _difference(ours.label, ours.n, theirs.label, theirs.n)
        return ArmDifference(arm=arm, rows=theirs.n, champion_rows=ours.n, verdict="OK", label=label, loss=loss)

    def _outputs(self) -> OutputChange | None:
        """The figure that moved most; shares of classes, or the mean prediction."""
        parts, self._window = self._window, []
        prediction = np.concatenate([one for one, _ in parts]) if parts else np.zeros(0)
        if self.task == "regression":
            names, columns = ["mean prediction"], prediction[:, None]
        else:
            known = self.baseline.prediction["prediction"].values
            names = [f"share of {name}" for name in known]
            columns = (prediction[:, None] == np.arange(len(known))).astype(np.float64)
            if self.task == "binary" and parts and all(score is not None for _, score in parts):
                score = np.concatenate([score for _, score in parts if score is not None])
                names, columns = [*names[1:], "mean score"], np.column_stack([columns[:, 1:], score])
        before = self._before
        columns = columns[np.isfinite(columns).all(axis=1)]
        n = columns.shape[0]
        self._before = (columns.mean(axis=0), columns.var(axis=0), n) if n >= LEAST_ROWS else None
        if before is None:
            return None
        if self._before is None:
            return OutputChange(of=names[-1], change=None, limit=self._limit(), beyond=False)
        moved = self._before[0] - before[0]
        at = int(np.abs(moved).argmax())
        half = Z999 * math.sqrt(float(self._before[1][at] / n + before[1][at] / before[2]))
        value = float(moved[at])
        change = Estimate(value=value, low=value - half, high=value + half, n=n, confidence=0.999)
        return OutputChange(of=names[at], change=change, limit=self._limit(), beyond=abs(value) - half > self._limit())

    def _limit(self) -> float:
        if self.task != "regression":
            return MOST_CHANGE
        edges = self.baseline.prediction["prediction"].edges
        if len(edges) < 3:
            return 0.0
        low, high = np.quantile(edges, [0.25, 0.75])
        return MOST_CHANGE_SPREADS * float(high - low)


def _difference(a: tuple[float, float], n: int, b: tuple[float, float], m: int) -> Estimate:
    """Mean of a minus mean of b, with Welch's interval at these sizes taken as normal."""
    left, right = a[0] / n, b[0] / m
    variance = max(0.0, a[1] / n - left**2) / (n - 1) + max(0.0, b[1] / m - right**2) / (m - 1)
    half = Z95 * math.sqrt(variance)
    return Estimate(value=left - right, low=left - right - half, high=left - right + half, n=n + m)
