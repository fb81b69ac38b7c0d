"""What is said of a metric before its labels come, and whether the labels agreed so far."""

from typing import Literal

from flyball.core.record import Record
from flyball.core.release import Estimate

Assumption = Literal["unknown", "met", "broken"]


class AssumptionCheck(Record):
    """Estimate and truth on the same rows, once their labels had come."""

    estimated: float  # without these labels, in the metric's unit
    realised: float  # with them
    gap: Estimate  # realised worse than estimated by, in the metric's unit; negative = better
    rows: tuple[int, int]  # stream positions of the first and the last


class Estimated(Record):
    """A metric of one window, estimated from its answers alone."""

    metric: str
    by: Literal["cbpe", "direct_loss"]
    verdict: Literal["OK", "INSUFFICIENT", "INVALID"]
    reason: str  # what it rests on, or why there is no value
    value: Estimate | None = None  # None: see `verdict`; the interval is for the realised metric of these rows
    loss: Estimate | None = None  # worse than the holdout by, in the metric's unit
    assumption: Assumption = (
        "unknown"  # that P(label | answer) is the reference's; `broken` is evidence of concept drift
    )
    check: AssumptionCheck | None = None  # the newest; None: no labels have come yet


class ExpectedRisk(Record):
    """What the answers of a release cost now: realised where labels have come, estimated where not."""

    loss: str  # of a row: `error`, `brier`, `log`, `absolute`, `squared`, `relative`
    verdict: Literal["OK", "DRIFT", "INSUFFICIENT", "INVALID"]  # DRIFT: `above` is surely positive
    reason: str
    value: Estimate | None = None  # of the recent requests, weighted to the newest window; in the unit of the loss
    baseline: Estimate | None = None  # of the holdout
    rows: int = 0  # held in the replay buffer
    requests: int = 0  # that they stand for
    matured: float = 0.0  # share of the weight whose label has come
    estimate_only: float = 0.0  # share of the weight in age buckets without a single label
    ess: float = 0.0  # effective sample of the weights, rows
    above: Estimate | None = (
        None  # risk minus baseline since the release began to serve; the interval holds at all times
    )
    above_reason: str = ""  # why there is none, or what is not in it


class ConceptTrend(Record):
    """Whether the answers slowly lose touch with the labels: a trend of realised minus estimated loss over the windows.

    A shift of the inputs moves both and so leaves no trend; errors that resemble the ones before are allowed for.
    """

    verdict: Literal["OK", "DRIFT", "INSUFFICIENT", "INVALID"]
    reason: str
    windows: int  # figures behind it, the newest ones; windows that come fast share one
    slope: Estimate | None = None  # in the metric's unit per day; positive = worse and worse
    p: float | None = None  # two-sided, of one look
    correlation: float | None = None  # of a window's error with the next one's
