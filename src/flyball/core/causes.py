"""What a diagnosis rests on: the questions in their order, where the change sits, and what it costs."""

from typing import Literal

from flyball.core.record import Record

Cause = Literal["all", "label", "covariate", "concept"]


class Asked(Record):
    """One step of the elimination."""

    question: str
    answer: Literal["yes", "no", "unknown"]
    number: float | None = None  # what was measured; None: nothing could be
    limit: float | None = None  # what it was held against, same unit
    detail: str = ""


class BinChange(Record):
    """One bin of a feature whose distribution moved."""

    bin: str  # what it holds: `< 0.5`, `red`, `(missing)`
    before: float  # share of the reference, 0..1
    now: float  # share of the window, 0..1
    part: float  # of the feature's PSI, in nats; negative: the bin lost mass. Their absolute values add up to the PSI


class FeatureChange(Record):
    """What one feature contributes to the change of a window."""

    feature: str
    psi: float
    share: float  # of the PSI of all features and answers that moved, 0..1
    sensitivity: float | None = None  # how much the release's answers rest on it, 0..1 of all; None: not known
    weighted: float | None = None  # share of PSI times sensitivity, 0..1; None: not known
    bins: tuple[BinChange, ...] = ()  # the largest parts first


class Effect(Record):
    """What one cause does to one metric: worse by, in the metric's unit; negative = better."""

    metric: str
    cause: Cause
    basis: Literal["labels", "estimate"]  # told by matured labels, or expected from the holdout without them
    value: float | None = None  # None: not estimable, see `reason`
    low: float | None = None
    high: float | None = None
    n: int = 0  # rows behind it
    confidence: float = 0.90  # of the interval, two-sided
    reason: str = ""


class Expected(Record):
    """A mean loss of some rows beside what the holdout lets expect of such rows; lower is better."""

    loss: str  # `error`, `brier`, `log_loss`, `mae`, `mape`, `squared_error`
    view: str  # feature or answer whose bins explain most of the change
    n: int  # rows
    before: float  # on the holdout
    expected: float  # of rows spread over the bins as these are, if the same kind of row loses as before
    now: float | None = None  # what they lost; None: without labels
    covariate_variance: float = 0.0  # of expected - before
    gap_variance: float = 0.0  # of now - expected, from these rows
    shared_variance: float = 0.0  # of now - expected, from the holdout: the same in each window
    now_variance: float = 0.0  # of now
    before_variance: float = 0.0  # of before: the same in each window
    limit: float | None = None  # a gap that matters, in the unit of the loss; None: the live metric is another
    label_part: float | None = None  # of now - before: what the new shares of the classes explain


class ClassShift(Record):
    """How frequent the classes are, told from the answers alone (BBSE), and whether that explains the change."""

    classes: tuple[str, ...]
    before: tuple[float, ...]  # shares on the holdout
    now: tuple[float, ...]  # estimated shares
    weights: tuple[float, ...]  # now / before
    low: tuple[float, ...]  # of the weights, 95 %
    high: tuple[float, ...]
    condition: float  # how much errors of the counts may grow
    clipped: bool = False  # a share came out below 0
    unweighted: dict[str, float] = {}  # feature or answer -> PSI against the holdout
    left: dict[str, float] = {}  # the same with the classes weighted: what label shift does not explain
    told: tuple[float, ...] = ()  # shares by matured labels; empty: none yet
    likeliest: tuple[float, ...] = ()  # shares of maximum likelihood (MLLS), from the same counts; empty: none moved


class Segment(Record):
    """A part of the rows whose loss changed otherwise than that of the rest."""

    where: tuple[str, ...]  # one condition a feature: `age >= 60`
    rows: int
    loss: float  # mean loss beyond what was expected of these rows, in the unit of the loss
    e_value: float  # against "no worse than expected"; the set that is told has a bounded share of false ones
    share: float = 0.0  # of the loss of all rows that these explain
