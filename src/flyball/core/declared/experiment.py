"""The `experiment` section of a service: how a model is trained, within which limits, and what its tests must know."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.declared.kinds import Positive, Scalar, Share, Task
from flyball.core.record import Record


class Split(Record):
    kind: Literal["temporal"] = "temporal"
    holdout: Annotated[float, Meta(gt=0, lt=1)] = 0.2  # newest share of the rows


class Space(Record, omit_defaults=True):
    """Where a search may look for one value of the configuration: a range, or choices."""

    low: float | int | None = None  # two whole numbers: whole numbers between them, ends included
    high: float | int | None = None
    log: bool = False  # evenly in the logarithm
    choices: tuple[Scalar, ...] = ()


class Search(Record):
    """A hyperparameter search on the training rows; what it finds goes into `config`."""

    space: dict[str, Space]  # key of config -> where to look
    trials: Annotated[int, Meta(ge=1)] = 20
    validation: Annotated[float, Meta(gt=0, lt=1)] = 0.2  # newest share of the training rows: trials are scored there
    timeout_s: Positive | None = None  # no new trial begins after this


class Limits(Record):
    """What one training may use beside `timeout_s`; more is refused before it starts, or stopped."""

    memory_mb: Positive | None = None  # resident memory of the training and what it starts, MB of 10**6 bytes
    cost: Positive | None = None  # in the unit of cost_per_hour
    cost_per_hour: Annotated[float, Meta(ge=0)] = 0.0  # what an hour of this machine costs


class Fairness(Record):
    attributes: tuple[str, ...]  # columns whose groups are compared; they need not be inputs of the model
    max_difference: Share = 0.1  # demographic parity and equalised odds differ by at most this


class OffPolicyTest(Record):
    """A log of actions taken by chance, on which the candidate's answers are worth no less than what was done."""

    log: str  # .csv or .parquet beside service.yaml, with the model's inputs and the columns named here
    action: str  # column: what was done, in the words of the label
    propensity: str  # column: the probability with which it was done
    reward: str  # column: what followed, higher is better
    unit: str | None = None  # column: rows of one unit are not independent
    max_loss: float | str = 0.0  # in the unit of the reward, or `2%` of the logged mean
    estimator: Literal["dr", "snips", "ips"] = "dr"


class ModelTests(Record):
    """What the model tests cannot know by themselves."""

    slices: tuple[str, ...] = ()  # columns whose groups get metrics of their own
    min_support: Annotated[int, Meta(ge=1)] = 100  # rows below which a group is not judged
    fairness: Fairness | None = None
    monotone: dict[str, Literal["increasing", "decreasing"]] = {}  # input -> how the score moves with it
    invariant: tuple[str, ...] = ()  # inputs that must not change the answer
    golden: str | None = None  # table of inputs with the expected `prediction`, beside service.yaml
    off_policy: OffPolicyTest | None = None
    backtest_windows: Annotated[int, Meta(ge=2)] = 5
    personal: Literal["fail", "warn"] = "fail"  # personal data or secrets in samples, logs, plots or model files


class Experiment(Record):
    task: Task
    metric: str
    module: str = "model.py"
    threshold: Share = 0.5  # binary: prediction is score >= threshold
    seed: str = "0"
    config: dict[str, Scalar] = {}
    split: Split = field(default_factory=Split)
    include: tuple[str, ...] = ()  # further files that are part of the code
    suites: Literal["default", "full"] = "default"
    timeout_s: Positive = 3600.0  # a training that runs longer is stopped
    refit: bool = False  # after the gates, fit once more on train and holdout rows
    warm_start: bool = False  # train() also gets `parent`: the champion's estimator; its root is part of the digest
    export: Literal["auto", "onnx", "pickle"] = "auto"  # auto: ONNX, LightGBM's text, XGBoost's file, else pickle
    executor: Literal["subprocess", "in_process", "ray"] = "subprocess"
    limits: Limits = field(default_factory=Limits)
    search: Search | None = None
    tests: ModelTests = field(default_factory=ModelTests)
