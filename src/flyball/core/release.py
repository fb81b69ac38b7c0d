"""A release and its evidence: what the pipeline makes, the registry names and the gateway loads."""

from typing import Literal

from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.record import Record
from flyball.core.service import Dimension, Suite, Task

Grade = Literal["A", "B", "C", "D"]
"""Assurance: A the bytes are in our store, B a pinned snapshot with a retention date, C a digest only, D declared."""


class File(Record):
    """A regular file of a manifest."""

    path: str  # relative, `/`, NFC
    size: int  # bytes
    sha256: str  # hex


class Snapshot(Record):
    """Frozen training data."""

    root: Digest  # manifest root over the files
    files: tuple[File, ...]
    rows: int
    source: str  # how it came to be: `source` or `captured`
    as_of: str | None = None  # labels that arrived later are not in it (RFC 3339)
    first_row: int = 0  # stream position of the first row, where one is known
    last_row: int = 0
    grade: Grade = "A"


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


class Baseline(Record):
    """What normal looked like when the release was made."""

    rows: int
    features: dict[str, Reference]
    prediction: dict[str, Reference]  # `prediction`, and `score` or `top_score`


class Release(Record):
    """One model with all that is needed to judge, serve and reproduce it."""

    root: ReleaseRoot  # names the bytes
    experiment: ExperimentDigest  # names the inputs
    service: ServiceName
    task: Task
    snapshot: Digest
    metrics: dict[str, Estimate]  # on the holdout
    gates: tuple[GateResult, ...]
    passed: bool  # every gate
    compared_with: ReleaseRoot | None = None  # the champion it was judged against
    trained_rows: int = 0
    holdout_rows: int = 0
    first_row: int = 0
    last_row: int = 0  # newest stream row that it has seen in any way
    reason: Literal["first", "drift", "risk", "schedule", "manual"] = "first"
    rubber_stamped: bool = False  # passed without a champion to compare with
    trained_last_row: int = 0  # newest stream row that the model was fitted on
    tests: tuple[TestResult, ...] = ()  # of the suites that ran
    refitted: bool = False  # fitted once more on the holdout after the gates; metrics are those of the first fit
