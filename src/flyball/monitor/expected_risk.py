"""What do the answers of a release cost now, and is that more than it promised?

Two figures, for two questions. The *expected risk* is of today's requests: rows of the replay buffer, each with its
realised loss where the label has come and with the estimated one where not, corrected for labels that come more easily
than others (`stats.risk_sequence.doubly_robust`, by age), and weighted to the newest window's mix of answers. *Above*
is the running mean over every row that has been judged since the release began to serve, minus its holdout's, with
bounds that may be read after every window. Row losses only: see `stats.row_loss`.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.errors import NotEnoughData
from flyball.core.estimating import ExpectedRisk
from flyball.core.release import Baseline, Estimate, RowLoss
from flyball.core.service import Task
from flyball.monitor.answers import Answers, Values, plain_text
from flyball.monitor.labels import Place
from flyball.monitor.panes import class_places
from flyball.monitor.replay_buffer import OTHER, Kept, ReplayBuffer
from flyball.stats.confidence_sequences.risk_sequence import RiskSequence, doubly_robust
from flyball.stats.risk import recalibration, row_loss
from flyball.stats.risk.cbpe import probabilities
from flyball.stats.risk.weighting import bin_ratio, weights

ALPHA = 0.05  # of the bounds on `above`, for the whole time of a release
Z95 = 1.959963984540054
Find = Callable[[str], Place | None]


@dataclass(kw_only=True)
class Request:
    """A row of the buffer."""

    id: str
    prediction: float
    score: list[float] | float | None
    truth: float = math.nan  # NaN: no label yet


@dataclass(kw_only=True)
class RunningRisk:
    """Of one release. Memory: the buffer, and sums."""

    baseline: Baseline
    task: Task
    metric: str
    buffer: ReplayBuffer[Request]
    waits: bool = False  # labels count only once their window has passed
    slices: Sequence[str] = ()  # columns that part the buffer's strata
    _loss: str = ""
    _mix: Counter[Hashable] = field(default_factory=Counter)  # strata of the running window
    _sequence: RiskSequence = field(default_factory=RiskSequence)
    _lacking: RiskSequence = field(default_factory=RiskSequence)  # estimates of judged rows without a label
    _lacking_by: Counter[int] = field(default_factory=Counter)  # of these, by kind of answer
    _fault: str = ""  # what could not be taken into the sequence last

    def take(self, rows: pl.DataFrame, prediction: Values, score: Values | None) -> None:
        """Answers of a pane, in order."""
        self._loss = self._loss or row_loss.loss_of(self.metric, self.task, scores=score is not None)
        codes = self._codes(prediction, score).tolist()
        strata: list[Hashable] = codes
        columns = [f"x.{name}" for name in self.slices if f"x.{name}" in rows.columns]
        if columns:
            strata = list(zip(codes, *(rows[name].to_list() for name in columns), strict=True))
        scores: Sequence[Any] = [None] * rows.height if score is None else score.tolist()
        self._mix.update(strata)
        self.buffer.add(
            [
                Request(id=id_, prediction=said, score=one)
                for id_, said, one in zip(rows["id"].to_list(), prediction.tolist(), scores, strict=True)
            ],
            strata,
        )

    def judged(self, answers: Answers) -> None:
        """Rows whose labels count now: they, and those that lacked one since the last call, go into the sequence."""
        self._loss = self._loss or row_loss.loss_of(self.metric, self.task, scores=answers.score is not None)
        try:
            loss = self._realised(answers.truth, answers.prediction, answers.score)
            lacking, self._lacking = self._lacking, RiskSequence()
            by, self._lacking_by = self._lacking_by, Counter()
            if lacking.n:
                code = self._codes(answers.prediction, answers.score)
                rows = np.bincount(code)
                judged = rows + np.array([by[number] for number in range(rows.size)])
                estimated = self._expected(answers.prediction, answers.score)
                loss = estimated + (loss - estimated) * (judged / np.maximum(rows, 1))[code]
            self._sequence = self._sequence.plus(loss[np.isfinite(loss)]).merge(lacking)
        except (NotEnoughData, ValueError) as error:
            self._fault = f"rows {answers.rows[0]} to {answers.rows[1]} are not in it: {error}"

    def forget_unlabelled(self) -> None:
        """Rows that were said to lack a label since the last call of `judged` only waited for it: they do not count."""
        self._lacking, self._lacking_by = RiskSequence(), Counter()

    def unlabelled(self, prediction: Values, score: Values | None) -> None:
        """Rows whose wait has passed without a label: they are expected to cost what their answers say."""
        try:
            self._lacking = self._lacking.plus(self._expected(prediction, score))
            self._lacking_by.update(self._codes(prediction, score).tolist())
        except (NotEnoughData, ValueError) as error:
            self._fault = f"{prediction.size} unlabelled rows are not in it: {error}"

    def report(self, find: Find) -> ExpectedRisk:
        """What can be said at the end of a window. Args: find: where the row of an id is held."""
        mix, self._mix = self._mix, Counter()
        known = self.baseline.labelled
        promised = known.risk.get(self._loss) if known is not None else None
        none = ExpectedRisk(loss=self._loss, verdict="INSUFFICIENT", reason="")
        if promised is None:
            why = f"the release was made without a holdout's {self._loss} loss" if self._loss else "no answers yet"
            return replace(none, reason=why, above_reason=why)
        base = _estimate(promised.mean, promised.sd / math.sqrt(promised.rows), promised.rows)
        found = replace(none, baseline=base, **self._above(promised))
        try:
            return self._weighed(found, list(self.buffer.kept()), mix, find)
        except NotEnoughData as error:
            return replace(found, reason=str(error))
        except ValueError as error:
            return replace(found, verdict="INVALID", reason=str(error))

    def _weighed(
        self, found: ExpectedRisk, kept: list[Kept[Request]], mix: Counter[Hashable], find: Find
    ) -> ExpectedRisk:
        if not kept:
            raise NotEnoughData("no request is held")
        answers = self.baseline.prediction["prediction"]
        places = {} if self.task == "regression" else class_places(answers.values)
        for one in kept:
            self._look_up(one.row, find, places)
        prediction = np.array([one.row.prediction for one in kept])
        score = None if kept[0].row.score is None else np.array([one.row.score for one in kept], dtype=np.float64)
        truth = np.array([one.row.truth for one in kept])
        expected = self._expected(prediction, score)
        come = np.isfinite(truth)
        realised = np.full(len(kept), np.nan)
        if come.any():
            realised[come] = self._realised(truth[come], prediction[come], None if score is None else score[come])
        block = np.array([one.block for one in kept])
        loss, arrived = doubly_robust(realised, expected, block)
        stands_for = np.array([one.weight for one in kept])
        weighed = weights(stands_for * self._ratio(kept, stands_for, mix))
        share = weighed.each / weighed.each.sum()
        value = float(share @ loss)
        se = math.sqrt(float(share**2 @ (loss - value) ** 2))
        return replace(
            found,
            verdict="DRIFT" if found.above is not None and found.above.low > 0 else "OK",
            reason=f"realised on {float(share @ np.isfinite(realised)):.0%} of the requests, estimated on the rest",
            value=_estimate(value, se, len(kept)),
            rows=len(kept),
            requests=self.buffer.seen,
            matured=float(share @ np.isfinite(realised)),
            estimate_only=float(share @ (arrived == 0)),
            ess=weighed.ess,
        )

    def _ratio(self, kept: list[Kept[Request]], stands_for: Values, mix: Counter[Hashable]) -> Values:
        """How much more of today's window than of the buffer is of the row's kind."""
        place = {stratum: at for at, stratum in enumerate(dict.fromkeys(one.stratum for one in kept))}
        code = np.array([place[one.stratum] for one in kept])
        now = np.zeros(len(place))
        for stratum, rows in mix.items():
            at = place.get(stratum, place.get(OTHER))
            if at is not None:
                now[at] += rows
        return bin_ratio(code, np.bincount(code, stands_for, len(place)), now)

    def _above(self, promised: RowLoss) -> dict[str, Any]:
        try:
            value, low, high = self._sequence.above(promised.mean, promised.sd, promised.rows, alpha=ALPHA)
        except NotEnoughData as error:
            return {"above_reason": "; ".join(filter(None, (self._fault, str(error))))}
        above = Estimate(value=value, low=low, high=high, n=self._sequence.n, confidence=1 - ALPHA)
        return {"above": above, "above_reason": self._fault}

    def _look_up(self, row: Request, find: Find, classes: dict[str, int]) -> None:
        """Labels may come, and be corrected, as long as their pane is held."""
        place = find(row.id)
        if place is None or (self.waits and place[1] >= place[0].passed):
            return
        label = place[0].labels[place[1]]
        if label is None:
            return
        if self.task == "regression":
            row.truth = float(label)
        else:
            row.truth = float(classes.get(plain_text(label), -1))

    def _realised(self, truth: Values, prediction: Values, score: Values | None) -> Values:
        """NaN where the label says nothing of this loss: a class that the scores do not know, a target of 0."""
        p = None if score is None else probabilities(score)
        if self._loss in ("error", "absolute", "squared", "relative"):
            return row_loss.realised(self._loss, truth, prediction, p)
        loss = row_loss.realised(self._loss, np.maximum(truth, 0), prediction, p)
        return np.where(truth >= 0, loss, np.nan)

    def _expected(self, prediction: Values, score: Values | None) -> Values:
        known = self.baseline.labelled
        if known is None:
            raise NotEnoughData("the release was made without what an estimate stands on")
        if bad := int((~np.isfinite(prediction)).sum()):
            raise ValueError(f"expected finite predictions, found {bad} that are not")
        if self.task == "regression":
            return row_loss.expected(self._loss, prediction, None, None, known.losses.get(self._loss))
        if score is None:  # then the predicted class is all that is known of a row
            cells = np.array(known.confusion, dtype=np.float64)
            right = np.divide(
                np.diagonal(cells), cells.sum(axis=0), out=np.zeros(len(cells)), where=cells.sum(axis=0) > 0
            )
            return np.asarray(1 - np.append(right, 0.0)[prediction.astype(np.int64)])  # an unknown class, -1, is wrong
        calibrated = recalibration.apply(known.maps, score)
        return row_loss.expected(self._loss, prediction, probabilities(score), calibrated)

    def _codes(self, prediction: Values, score: Values | None) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Kind of answer, a whole number: predicted class and score bin, or bin of the prediction."""
        answers = self.baseline.prediction
        if self.task == "regression":
            return np.searchsorted(np.asarray(answers["prediction"].edges), prediction, side="right").astype(np.int64)
        said = prediction.astype(np.int64) + 1
        name = "score" if score is not None and score.ndim == 1 else "top_score"
        if score is None or name not in answers:
            return said
        edges = np.asarray(answers[name].edges)
        bin_ = np.searchsorted(edges, score if score.ndim == 1 else score.max(axis=1), side="right")
        return (said * (edges.size + 1) + bin_).astype(np.int64)


def _estimate(value: float, se: float, n: int) -> Estimate:
    return Estimate(value=value, low=value - Z95 * se, high=value + Z95 * se, n=n)
