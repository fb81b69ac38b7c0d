"""What the monitor says: panes, signals, diagnoses."""

from typing import Literal

from flyball.core.causes import Asked, ClassShift, Effect, Expected, FeatureChange, Segment
from flyball.core.estimating import ConceptTrend, Estimated, ExpectedRisk
from flyball.core.influence import SelfInfluence
from flyball.core.realised import LabelState, RealisedWindow, ServingFigures
from flyball.core.record import Record
from flyball.core.release import Estimate

SignalKind = Literal["psi", "risk", "quality", "error", "latency", "training", "capture", "shift"]
APART: frozenset[SignalKind] = frozenset({"training", "capture"})  # about no window and no champion
DiagnosisKind = Literal["data_quality", "label_shift", "covariate_shift", "concept_drift", "harmless", "unknown"]


class PaneGroup(Record):
    """Counts of one release in one arm during one pane; adding two of them is merging them."""

    arm: str  # `champion`, `candidate`
    release: str
    rows: int = 0
    errors: int = 0
    slow: int = 0
    failed: int = 0
    violations: int = 0  # rows the contract did not accept
    broken: dict[str, int] = {}  # of these by the rule that they broke, `type: amount`
    features: dict[str, tuple[int, ...]] = {}  # on the release's reference bins, last is `missing`
    prediction: dict[str, tuple[int, ...]] = {}
    latency: tuple[int, ...] = ()  # on `monitor.panes.LATENCY_EDGES_MS`


class Pane(Record):
    """A sealed slice of telemetry."""

    service: str
    index: int  # grows by one a pane
    start: float  # seconds since the epoch
    end: float
    first_row: int = 0  # stream position of its first row
    last_row: int = 0
    received: int = 0
    written: int = 0
    dropped: int = 0
    groups: tuple[PaneGroup, ...] = ()


class Signal(Record):
    """One measure beyond one limit in one window."""

    signal: SignalKind
    level: Literal["warn", "act"]
    value: float
    limit: float
    release: str
    window: int  # number of the window since the release began to serve
    first_row: int
    last_row: int
    feature: str | None = None
    consecutive: int = 1  # windows in a row beyond this level
    detail: str = ""


class Diagnosis(Record):
    """Which kind of change, what led there, and what helps."""

    kind: DiagnosisKind
    reason: str
    features: tuple[str, ...] = ()
    numbers: dict[str, float] = {}
    remedy: Literal["retrain", "repair", "none", "wait_for_labels"] = "none"
    kinds: tuple[DiagnosisKind, ...] = ()  # all that apply, in the order of elimination; `kind` is the weightiest
    steps: tuple[Asked, ...] = ()  # what was asked, in order
    changes: tuple[FeatureChange, ...] = ()  # where the change sits, largest share first
    effects: tuple[Effect, ...] = ()  # what it costs, by cause
    segments: tuple[Segment, ...] = ()  # rows that fare otherwise than the rest


class QualityFinding(Record):
    """One thing in a window that the world does not do by itself: rather a broken supply than drift."""

    kind: Literal[
        "violations",
        "missing",
        "was_constant",
        "now_constant",
        "unknown_values",
        "far_outside",
        "columns_mixed",
        "unit_changed",
        "type_changed",
        "duplicates",
        "out_of_range",
    ]
    value: float
    limit: float
    detail: str
    feature: str | None = None
    rules: dict[str, float] = {}  # of rows that break the contract: share of the window's rows by rule


class OwnPast(Record):
    """An operational figure of the newest whole hour beside the service's own past."""

    figure: Literal["volume", "error_rate", "latency_p99_ms", "missing"]  # missing: share of rows without `feature`
    verdict: Literal["OK", "LOW", "HIGH", "INSUFFICIENT"]
    reason: str  # in words; why nothing can be said, where nothing can
    hour: float | None = None  # start of the hour, seconds since the epoch; None: none was whole yet
    found: float | None = None  # rows per hour, share, ms
    expected: float | None = None  # same unit, as the bounds of what is no surprise
    low: float | None = None
    high: float | None = None
    against: Literal["", "same hour of the week", "moving average"] = ""  # empty: too little past for both
    feature: str | None = None
    consecutive: int = 0  # hours in a row that were surprising in the same direction


class ChartPoint(Record):
    """A control chart after a window, in standard errors of a window."""

    z: float  # the window alone
    cusum_up: float
    cusum_down: float
    cusum_limit: float
    ewma: float
    ewma_limit: float  # of either side
    alarm: bool = False  # one of the limits is passed


class WindowReport(Record):
    """All that the monitor says of one window of one champion."""

    index: int  # number of the window since the release began to serve, from 0
    release: str
    first_row: int
    last_row: int
    rows: int  # received, whatever became of them
    psi: dict[str, float] = {}  # feature -> PSI against the release's baseline
    prediction_psi: dict[str, float] = {}  # `prediction`, `score` or `top_score`
    insufficient: tuple[str, ...] = ()  # measured on too few rows to say anything
    versus_last: dict[str, float] = {}  # feature -> PSI against the window before; empty in the first window
    quality: tuple[QualityFinding, ...] = ()
    signals: tuple[Signal, ...] = ()
    metric: Estimate | None = None  # live metric of the labels that matured; None: not enough of them yet
    loss: Estimate | None = None  # worse than the holdout by, in the metric's unit, 90 % two-sided
    metric_rows: tuple[int, int] | None = None  # stream positions that the metric covers
    unlabelled: int = 0  # rows left out since the report before: they had no label when they were to be judged
    error_rate: dict[str, float] = {}  # arm -> share of rows with an error event
    failed_rate: float = 0.0  # share of rows whose client got no answer
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    dropped: int = 0  # rows of the window without a record
    serving: tuple[ServingFigures, ...] = ()  # of each arm that answered in this window
    realised: tuple[RealisedWindow, ...] = ()  # this window, and older ones whose figures may be compared only now
    labels: LabelState | None = None  # the stream of labels at the end of this window
    # which rows `metric` is of; empty: there is none. `as labels came`: of reports that an earlier version wrote
    metric_rows_are: Literal["", "waited", "mature", "as labels came"] = ""
    estimated: Estimated | None = None  # the live metric before its labels; None: no metric is watched
    evidence: dict[str, float] = {}  # feature, `prediction`, ... -> log10 of an e-value against "no change so far"
    changed: tuple[str, ...] = ()  # of these, named by e-BH at `monitor.detector.fdr`, most evidence first
    together: float | None = None  # log10 of an e-value: do the columns hang together as before? None: not asked
    usual: dict[str, float] = {}  # feature -> PSI that stretches of its reference reach, and that is allowed: season
    changes: tuple[FeatureChange, ...] = ()  # of features and answers with a signal
    expected: tuple[Expected, ...] = ()  # losses to expect of this window's rows, without labels
    split: tuple[Expected, ...] = ()  # of the rows of `metric_rows`: what they lost beside what was expected
    classes: ClassShift | None = None  # shares of the classes; None: a regression, or not to be told
    segments: tuple[Segment, ...] = ()  # of the rows of `metric_rows`
    risk: ExpectedRisk | None = None  # None: no metric is watched
    concept: ConceptTrend | None = None  # None: no labels since the report before
    influence: SelfInfluence | None = None  # None: no metric is watched
    own_past: tuple[OwnPast, ...] = ()  # of the newest whole hour; features: the surprising ones only
    start: float = 0.0  # of its first pane, seconds since the epoch; 0: an earlier version did not say
    end: float = 0.0  # of its last pane
    charts: dict[str, ChartPoint] = {}  # `mean score`, `mean confidence`, `ratio of <class>`, ...
