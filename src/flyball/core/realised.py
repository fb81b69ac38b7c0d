"""What labels say of answers that were given: figures of one window by arm and slice, and how mature they are.

A figure without enough behind it has a verdict and a reason and no value, so that nobody can plot it by mistake.
"""

from typing import Any, Literal

from flyball.core.record import Record

FigureVerdict = Literal["OK", "INSUFFICIENT", "INVALID"]
Standing = Literal["waited", "mature", "adjusted", "immature"]


class Figure(Record):
    """One metric of one group of rows, with its two-sided interval."""

    metric: str
    verdict: FigureVerdict
    n: int  # rows or trials behind it (of a recall: the positive ones)
    value: float | None = None  # in the unit of the metric; None unless the verdict is OK
    low: float | None = None
    high: float | None = None
    method: str = ""  # of the interval: wilson, jaccard, delong, logit, normal, mean of classes ...
    bound: float = 0.0  # the exact value differs by no more than this, because scores were counted in bins
    needed: int | None = None  # labelled rows of this group at which it would be told, at the shares seen so far
    reason: str = ""


class ClassFigures(Record):
    """One class against the rest."""

    label: str
    support: int  # rows with this label
    predicted: int  # rows with this answer
    precision: Figure
    recall: Figure
    f1: Figure


class Example(Record):
    """A row that was answered wrongly; of a regression, one of those that were most wrong."""

    id: str  # of the prediction
    row: int  # stream position
    at: float  # arrival, seconds since the epoch
    truth: Any
    prediction: Any
    score: float | None = None  # binary: P(positive); multiclass: of the class that was answered
    loss: float | None = None  # regression: absolute error, in the unit of the label
    features: dict[str, Any] = {}  # as logged
    left_out: tuple[str, ...] = ()  # personal columns: not shown


class RealisedGroup(Record):
    """The rows of one window that one release answered in one arm, all of them or one slice."""

    arm: str
    release: str
    rows: int  # that the release answered itself
    labelled: int
    slice: str = ""  # `region=EU`; empty: all rows of the arm
    unusable: int = 0  # labels among them that say nothing: no number where one is asked for
    unknown: int = 0  # labels of a class that the release does not know: every answer to them was wrong
    confidence: float = 0.95  # of each interval; for slices so much that all slices of a metric hold together
    figures: tuple[Figure, ...] = ()
    classes: tuple[str, ...] = ()  # order of the confusion matrix; the last is `other` where a label was unknown
    confusion: tuple[tuple[int, ...], ...] = ()  # rows with label i and answer j
    per_class: tuple[ClassFigures, ...] = ()
    examples: tuple[Example, ...] = ()  # of all rows of an arm only

    def figure(self, metric: str) -> Figure | None:
        """The figure of that name; None: the task has no such metric."""
        return next((each for each in self.figures if each.metric == metric), None)


class Maturity(Record):
    """How far the labels of a window are in, and so with what its figures may be compared."""

    standing: Standing  # only the first three may be compared
    reason: str
    labelled: float  # share of the window's rows that have a label
    arrived: float | None = None  # of the labels that come at all, the share expected by now; None: not known yet


class RealisedWindow(Record):
    """One window, as the labels that have come so far tell it. A later label makes a newer revision of it."""

    index: int  # number of the window since the release began to serve
    release: str  # champion of the window
    first_row: int
    last_row: int
    start: float  # seconds since the epoch
    end: float
    maturity: Maturity
    complete: bool = True  # False: it still runs, or a promotion cut it short
    revision: int = 0  # label events that are in it: new, corrected, taken back
    groups: tuple[RealisedGroup, ...] = ()
    slices: int = 0  # groups beside the arms themselves, whose intervals share one error budget for each metric
    comparisons: int = 0  # intervals told at once, over metrics, arms and slices


class Arrived(Record):
    """One point of the maturity curve."""

    within_s: float
    share: float  # of all predictions, with a label within that time
    low: float
    high: float


class LabelState(Record):
    """The stream of labels as it stands."""

    new: int = 0
    duplicate: int = 0
    corrected: int = 0
    outdated: int = 0  # older than the one that stands: it changes nothing
    unmatched: int = 0  # came before their prediction, or to none
    invalid: int = 0  # not a number, or none at all
    before_prediction: int = 0  # with a time before that of the prediction: their delay counts as 0
    forgotten: int = 0
    waiting: int = 0  # without a prediction so far
    curve: tuple[Arrived, ...] = ()
    p50_s: float | None = None  # delay by which so many of the labels that come at all have come
    p90_s: float | None = None
    p99_s: float | None = None


class RealisedState(Record):
    """What a controller wrote down of a service: its stream of labels and its newest windows, oldest first."""

    service: str
    labels: LabelState
    windows: tuple[RealisedWindow, ...] = ()

    @property
    def newest(self) -> RealisedWindow | None:
        """The newest window whose figures may be compared; None: there is none yet."""
        return next((each for each in reversed(self.windows) if each.maturity.standing != "immature"), None)


class Rate(Record):
    """A share of rows with its 95 % interval (Wilson)."""

    value: float
    low: float
    high: float
    n: int


class ServingFigures(Record):
    """What one arm did in one window, whatever the labels say later."""

    arm: str
    release: str
    rows: int
    latency_p50_ms: float | None = None  # whole stay in the gateway; upper edge of a bin of 10 %
    latency_p90_ms: float | None = None
    latency_p99_ms: float | None = None
    availability: Rate | None = None  # rows whose client got an answer
    error_rate: Rate | None = None  # rows with an error event
    slow_rate: Rate | None = None
    fallback_rate: Rate | None = None  # rows answered by somebody else
    throughput_rps: float | None = None  # rows a second over the span of the window; None: it has no length
    features_available: float | None = None  # share of values that were there, over all watched features
    features_missing: dict[str, float] = {}  # feature -> share of rows without it; those that lack any
    service_s: float = 0.0  # time that the release itself spent, summed over rows
    cost_per_inference: float | None = None  # in the unit of monitor.cost; None: not declared
    resources: str = "not recorded: the prediction log holds no use of memory or processor"
