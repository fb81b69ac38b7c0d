"""A release and its evidence: what the pipeline makes, the registry names and the gateway loads."""

from collections.abc import Sequence
from typing import Literal

from flyball.core.fact import Reason
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.record import Record
from flyball.core.service import Dimension, Pin, Suite, Task

Grade = Literal["A", "B", "C", "D"]
"""Assurance: A the bytes are in our store, B a pinned snapshot with a retention date, C a digest only, D declared."""


class File(Record):
    """A regular file of a manifest."""

    path: str  # relative, `/`, NFC
    size: int  # bytes
    sha256: str  # hex


class Origin(Record):
    """The raw files that a snapshot was read from, by digest; the snapshot holds their rows, not their bytes."""

    root: Digest  # manifest root over the raw files
    files: int  # how many
    size: int  # bytes of all
    manifest: Digest  # blob with the manifest itself
    grade: Grade  # of the raw bytes, when they were read
    pin: Pin | None = None


class Snapshot(Record):
    """Frozen training data."""

    root: Digest  # manifest root over the files
    files: tuple[File, ...]
    rows: int
    source: str  # how it came to be: `source` or `captured`
    as_of: str | None = None  # labels that arrived later are not in it (RFC 3339)
    first_row: int = 0  # stream position of the first row, where one is known
    last_row: int = 0
    grade: Grade = "A"  # of these files, when the snapshot was taken; a gate reads it as `snapshot.grade`
    origin: Origin | None = None  # of the raw files, where it was read from files
    backfills: tuple[str, ...] = ()  # whose rows are among captured ones


class Estimate(Record):
    """A metric with its interval."""

    value: float
    low: float
    high: float
    n: int  # rows behind it
    confidence: float = 0.95


class TestResult(Record):
    """What one test of a suite found. A failed hard test fails the release, whatever the gates say."""

    __test__ = False  # pytest: no test case

    suite: Suite
    name: str  # `target leak`, `slice region=EU`
    dimension: Dimension
    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"]
    reason: str  # what was compared and what was found, in words
    hard: bool = True
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    n: int | None = None  # rows behind it


class GateResult(Record):
    name: str  # `roc_auc >= 0.8`, `roc_auc not worse than champion by 0.02`
    metric: str
    passed: bool
    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"]
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    champion: float | None = None  # the champion's value on the same rows
    rows_needed: int | None = None  # where inconclusive
    dimension: Dimension = "quality"


class Reference(Record):
    """Reference distribution of one feature or of the prediction: bins and how many rows fell into each."""

    kind: Literal["numeric", "category"]
    edges: tuple[float, ...] = ()  # numeric: interior edges; the end bins are open
    values: tuple[str, ...] = ()  # category: known values; then `other`
    counts: tuple[int, ...] = ()  # one a bin, the last is `missing`
    fine: tuple[float, ...] = ()  # numeric: edges of a refinement, the outermost two fence the range off; (): none
    fine_counts: tuple[int, ...] = ()  # one a fine bin, the last is `missing`
    stretches: tuple[tuple[int, ...], ...] = ()  # the same rows in up to 48 consecutive parts; empty: order not kept


class CalibrationMap(Record):
    """P(class) for a score: linear between the knots, flat beyond the ends."""

    score: tuple[float, ...]  # knots, ascending, 0..1
    probability: tuple[float, ...]  # at each knot, never falling, 0..1


class LossTable(Record):
    """What a prediction costs, by where it lies: the loss that the holdout showed in each bin of the prediction."""

    edges: tuple[float, ...]  # interior edges of the prediction, in its unit; the end bins are open
    rows: tuple[int, ...]  # holdout rows of each bin
    mean: tuple[float, ...]  # of the loss in each bin, in its unit; that of all rows where a bin has none
    sd: tuple[float, ...]  # of the loss of one row in each bin


class RowLoss(Record):
    """Loss of one row on the holdout."""

    mean: float  # in the unit of the loss
    sd: float
    rows: int


class LabelledReference(Record):
    """What the labels of the holdout said about the answers: all that an estimate without labels stands on."""

    rows: int  # of the holdout, with a label and an answer
    maps: tuple[CalibrationMap, ...] = ()  # binary: one; multiclass: one a class; none: the scores as they are
    ece_raw: float | None = None  # calibration error of the scores, held out, a share
    ece_mapped: float | None = None  # of the mapped scores
    confusion: tuple[tuple[int, ...], ...] = ()  # rows with truth i (row) and prediction j (column), by class number
    score_labels: tuple[tuple[int, ...], ...] = ()  # rows of each bin of `score` or `top_score` by class number
    losses: dict[str, LossTable] = {}  # regression: `absolute`, `squared`, `relative`
    risk: dict[str, RowLoss] = {}  # `error`, `brier`, `log`; regression: as `losses`
    reason: str = ""  # why there is a map, or none


class LossSums(Record):
    """Losses on the bins of one view, one number a bin: sums, so those of two samples add."""

    rows: tuple[int, ...]  # rows that have this loss
    total: tuple[float, ...]  # sum of their losses
    squares: tuple[float, ...]  # sum of the squares


class View(Record):
    """Labelled rows, bin by bin of one feature or answer."""

    rows: tuple[int, ...]  # in each bin
    by_class: tuple[tuple[int, ...], ...] = ()  # [bin][class], the cells that tell label shift; empty: a regression
    losses: dict[str, LossSums] = {}  # `error`, `brier`, `log_loss`; `mae`, `mape`, `squared_error`


class Outcomes(Record):
    """What labels said of rows that the model had not seen, beside what was known of these rows without labels."""

    rows: int
    classes: tuple[str, ...] = ()  # order of the classes; empty: a regression
    label: View | None = None  # its bins are the classes; None: a regression
    answers: dict[str, View] = {}  # on the bins of `Baseline.prediction`
    features: dict[str, View] = {}  # on the bins of `Baseline.features`


class Together(Record):
    """How many rows said yes to each question of `stats.joint_features`: how the columns hang together."""

    columns: tuple[str, ...]  # that are asked about, in this order
    rows: int  # that were asked
    yes: tuple[int, ...]  # one a question: pairs of columns, then waves
    seed: str  # of the waves


class Baseline(Record):
    """What normal looked like when the release was made."""

    rows: int
    features: dict[str, Reference]
    prediction: dict[str, Reference]  # `prediction`, and `score` or `top_score`
    labelled: LabelledReference | None = None  # None: made before it was kept, or the answers could not be used
    outcomes: Outcomes | None = None  # of the holdout; None: made by a version that did not keep them
    together: Together | None = None  # None: made before it was kept, or fewer than two columns have two sides
    sensitivity: dict[str, float] = {}  # input -> how far the answers move when it is shuffled, share of all inputs


class Attribution(Record):
    """How much one input of the estimator moves its answers."""

    feature: str
    mean_abs: float  # mean absolute attribution, in the unit of the explained output


class Attributions(Record):
    """Which inputs a release's answers rest on, largest first."""

    method: Literal["shap tree", "shap linear", "permutation"]
    output: str  # what is explained: `log-odds`, `score`, `prediction`, `probability of c`
    rows: int  # rows explained
    features: tuple[Attribution, ...]


class Release(Record):
    """One model with all that is needed to judge, serve and reproduce it."""

    root: ReleaseRoot  # names the bytes
    experiment: ExperimentDigest  # names the inputs
    service: ServiceName
    task: Task
    snapshot: Digest
    metrics: dict[str, Estimate]  # on the holdout
    gates: tuple[GateResult, ...]
    passed: bool  # every gate, and no hard test failed
    compared_with: ReleaseRoot | None = None  # the champion it was judged against
    trained_rows: int = 0
    holdout_rows: int = 0
    first_row: int = 0
    last_row: int = 0  # newest stream row that it has seen in any way
    reason: Reason = "first"
    rubber_stamped: bool = False  # passed without a champion to compare with
    trained_last_row: int = 0  # newest stream row that the model was fitted on
    tests: tuple[TestResult, ...] = ()  # of the suites that ran
    refitted: bool = False  # fitted once more on the holdout after the gates; metrics are those of the first fit


def refusals(gates: Sequence[GateResult], tests: Sequence[TestResult]) -> list[str]:
    """Why a release does not go on, for people: gates that did not pass, then hard tests that failed.

    >>> told = TestResult(suite="data", name="target leak", dimension="data", verdict="FAIL", reason="'x' tells all")
    >>> refusals((), (told,))
    ["target leak: 'x' tells all"]
    """
    said = [f"{gate.name}: {gate.reason}" for gate in gates if not gate.passed]
    return said + [f"{test.name}: {test.reason}" for test in tests if test.hard and test.verdict == "FAIL"]
