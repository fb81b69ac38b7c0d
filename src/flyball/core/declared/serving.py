"""The serving contract: how fast, how sure, and what answers where the model does not.

Times in ms carry it in their name, shares lie in 0..1, counts are rows.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.declared.kinds import Name, Positive, Seconds, Share
from flyball.core.record import Record

MOST_WORKERS = 64
Endpoint = Literal["predict", "infer", "ready", "grpc"]  # of a probe

# when a record is safe from a power cut: before its answer goes out, within an interval, when the system likes
Fsync = Literal["always", "interval", "os"]


class Objectives(Record):
    availability: Annotated[float, Meta(gt=0, lt=1)] = 0.999
    latency_p99_ms: Positive = 100.0
    latency_p50_ms: Positive | None = None
    throughput_rps: Positive | None = None


class Constant(Record):
    prediction: str | float | int | bool
    score: float | None = None
    scores: dict[str, float] | None = None


class Case(Record):
    when: str  # CEL over `row`; what it gives when a value is missing is no match
    prediction: str | float | int | bool
    score: float | None = None
    scores: dict[str, float] | None = None


class FallbackLink(Record):
    """One of the two."""

    rule: tuple[Case, ...] = ()  # the first case that holds answers
    constant: Constant | None = None


class AnswerCache(Record):
    max_rows: Annotated[int, Meta(ge=0)] = 0  # answers kept; 0: none
    ttl_s: Annotated[float, Meta(gt=0)] = 300.0
    answers: bool = False  # equal rows are answered without asking the release again


class PredictionLog(Record):
    """How the prediction log is kept."""

    fsync: Fsync = "interval"
    interval_ms: Positive = 1000.0  # with `interval`: a power cut costs at most the rows of this time
    retention_s: Seconds | None = None  # whole days that ended longer ago are deleted; None: none is
    compact_rows: Annotated[int, Meta(ge=1)] = 250_000  # of a merged folder at most; they are in memory together


class Overload(Record):
    queue_ms: Positive | None = None  # a wait that is tolerated as the rule, ms; None: a tenth of the deadline
    max_in_flight: Annotated[int, Meta(ge=1)] = 20_000  # rows of one release, whatever they wait
    priority: Literal["live", "low"] = "live"  # of requests that do not say


class Breaking(Record):
    share: Annotated[float, Meta(gt=0, le=1)] = 0.5  # of the calls of the last ten seconds that failed
    min_calls: Annotated[int, Meta(ge=1)] = 20
    open_s: Annotated[float, Meta(gt=0)] = 1.0  # until the first probe; doubled with each that fails


class RetryBudget(Record):
    share: Share = 0.2  # rows for which a second release may be asked
    per_s: Annotated[float, Meta(ge=0)] = 10.0  # rows, whatever the traffic


class Recycling(Record):
    """When a process that answers makes room for a fresh one; each at its own bound, the first that is met holds."""

    memory_mb: Positive | None = None  # resident memory of one process; None: whatever it holds
    rows: Annotated[int, Meta(ge=1)] | None = None  # that one process has answered; None: however many


class Exercising(Record):
    every_s: Annotated[float, Meta(gt=0)] = 7 * 86_400.0
    rows: Annotated[int, Meta(ge=1)] = 20  # a link
    share: Share = 0.01  # of the requests; 0: never


class ClassRate(Record):
    prediction: str | float | int | bool
    max_share: Annotated[float, Meta(ge=0, lt=1)]
    window_rows: Annotated[int, Meta(ge=10)] = 1000  # answers of releases; before there are so many nothing fires


class Filter(Record):
    """One condition: a range, a list, an expression or a rate."""

    name: Name
    on: Literal["row", "answer"]
    verdict: Literal["reject", "clamp", "fall_back", "review"]
    column: str | None = None  # of a row's range or list; without it, on the answer, its number or prediction
    min: float | None = None
    max: float | None = None
    allow: tuple[str | float | int | bool, ...] = ()
    deny: tuple[str | float | int | bool, ...] = ()
    when: str | None = None  # CEL over `row`, and on the answer `prediction` and `score`: fires where it holds
    rate: ClassRate | None = None
    function: str | None = None  # of the packaged module: whether it fires on each row, or what it moves to


class Compare(Record):
    kind: Literal["exact", "absolute", "relative", "ranking", "distribution"]
    tolerance: Annotated[float, Meta(ge=0)] = 0.0  # of absolute, relative (a share), distribution (0 to 1)
    top: Annotated[int, Meta(ge=1)] | None = None  # of ranking: so many of the likeliest classes; None: all


class Mirroring(Record):
    deadline_ms: Positive | None = None  # None: the service's
    concurrency: Annotated[int, Meta(ge=1)] = 4  # calls under way
    max_rows: Annotated[int, Meta(ge=1)] = 1_000  # that wait
    compare: Compare | None = None  # None: equal classes, numbers within 1 %


class Probes(Record):
    every_s: Positive = 10.0
    endpoints: Annotated[tuple[Endpoint, ...], Meta(min_length=1)] = ("predict", "infer", "ready")
    timeout_s: Positive = 5.0


class Serving(Record):
    objectives: Objectives = field(default_factory=Objectives)
    fallback: tuple[Literal["previous", "cached"] | FallbackLink, ...] = ("previous",)
    deadline_ms: Positive = 1000.0  # later than this the arm gave no answer
    max_rows: Annotated[int, Meta(ge=1)] = 10_000  # rows of one request
    workers: Annotated[int, Meta(ge=1, le=MOST_WORKERS)] = 1  # processes that answer; the gateway's largest holds
    idempotent: bool = True  # False: asking does something, so a row is asked once, of one release

    log: PredictionLog = field(default_factory=PredictionLog)
    overload: Overload = field(default_factory=Overload)
    breaker: Breaking = field(default_factory=Breaking)
    recycle: Recycling = field(default_factory=Recycling)
    retry_budget: RetryBudget = field(default_factory=RetryBudget)
    cache: AnswerCache = field(default_factory=AnswerCache)
    shadow: Mirroring = field(default_factory=Mirroring)
    filters: tuple[Filter, ...] = ()
    exercise: Exercising = field(default_factory=Exercising)
    probes: Probes | None = None  # None: nobody asks but clients
