"""What the monitor says: panes, signals, diagnoses."""

from typing import Literal

from flyball.core.record import Record
from flyball.core.release import Estimate

SignalKind = Literal["psi", "risk", "quality", "error", "latency", "training"]
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


class QualityFinding(Record):
    """One thing in a window that the world does not do by itself: rather a broken supply than drift."""

    kind: Literal[
        "violations", "missing", "was_constant", "now_constant", "unknown_values", "far_outside", "columns_mixed"
    ]
    value: float
    limit: float
    detail: str
    feature: str | None = None


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
    unlabelled: int = 0  # rows left out since the report before: their label window passed without a label
    error_rate: dict[str, float] = {}  # arm -> share of rows with an error event
    failed_rate: float = 0.0  # share of rows whose client got no answer
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    dropped: int = 0  # rows of the window without a record
