"""The service declaration: what one `service.yaml` says, with every default written out.

Durations are seconds (files may also say `10m`, `24h`, `7d`), shares and weights lie in 0..1, counts are rows.
Parsing and reporting faults: `flyball.contracts`.
"""

import math
from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.cohorts import Cohorts as Cohorts
from flyball.core.declared.alerts import AlertDestination as AlertDestination
from flyball.core.declared.alerts import Alerts as Alerts
from flyball.core.declared.destination import Destination
from flyball.core.declared.drills import Schedule
from flyball.core.declared.experiment import Experiment as Experiment
from flyball.core.declared.experiment import Fairness as Fairness
from flyball.core.declared.experiment import Limits as Limits
from flyball.core.declared.experiment import ModelTests as ModelTests
from flyball.core.declared.experiment import OffPolicyTest as OffPolicyTest
from flyball.core.declared.experiment import Search as Search
from flyball.core.declared.experiment import Space as Space
from flyball.core.declared.experiment import Split as Split
from flyball.core.declared.guardrails import Guardrail as Guardrail
from flyball.core.declared.guardrails import Guardrails as Guardrails
from flyball.core.declared.guardrails import MetricGuardrail as MetricGuardrail
from flyball.core.declared.healing import DeclaredRemedy as DeclaredRemedy
from flyball.core.declared.healing import Healing as Healing
from flyball.core.declared.healing import HealingPolicy as HealingPolicy
from flyball.core.declared.health import HealthRules as HealthRules
from flyball.core.declared.incidents import Incidents as Incidents
from flyball.core.declared.kinds import MEASURED as MEASURED
from flyball.core.declared.kinds import Count as Count
from flyball.core.declared.kinds import Dimension as Dimension
from flyball.core.declared.kinds import Name as Name
from flyball.core.declared.kinds import OnTimeout as OnTimeout
from flyball.core.declared.kinds import Positive as Positive
from flyball.core.declared.kinds import Remedy as Remedy
from flyball.core.declared.kinds import Role as Role
from flyball.core.declared.kinds import Scalar as Scalar
from flyball.core.declared.kinds import Seconds as Seconds
from flyball.core.declared.kinds import Share as Share
from flyball.core.declared.kinds import StepKind as StepKind
from flyball.core.declared.kinds import Suite as Suite
from flyball.core.declared.kinds import Task as Task
from flyball.core.declared.kinds import Trigger as Trigger
from flyball.core.declared.objectives import Objective as Objective
from flyball.core.declared.objectives import Slo as Slo
from flyball.core.declared.policy import Exceptions as Exceptions
from flyball.core.declared.policy import Policy as Policy
from flyball.core.declared.policy import Rule as Rule
from flyball.core.declared.review import Review as Review
from flyball.core.declared.review import Targets as Targets
from flyball.core.declared.serving import Case as Case
from flyball.core.declared.serving import Compare as Compare
from flyball.core.declared.serving import Constant as Constant
from flyball.core.declared.serving import FallbackLink as FallbackLink
from flyball.core.declared.serving import Objectives as Objectives
from flyball.core.declared.serving import PredictionLog as PredictionLog
from flyball.core.declared.serving import Serving as Serving
from flyball.core.judging import BusinessValue as BusinessValue
from flyball.core.judging import Cost as Cost
from flyball.core.judging import Slice as Slice
from flyball.core.pressure import PressureRule as PressureRule
from flyball.core.record import Record
from flyball.core.retrain_policy import Autonomy as Autonomy
from flyball.core.retrain_policy import Budget as Budget
from flyball.core.retrain_policy import Retrain as Retrain


class Metadata(Record):
    name: Name
    owner: str
    people: dict[str, tuple[Role, ...]] = {}  # person -> roles
    description: str = ""


class Pin(Record):
    """A version of a table elsewhere that its owner has promised to keep (assurance grade B)."""

    system: str  # `iceberg`, `delta`, `lakefs` ...
    table_id: str
    snapshot_id: str
    retention_until: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]  # last day on which it can be read again, UTC


class Data(Record):
    contract: str  # ODCS file, relative to service.yaml
    source: str  # Parquet or CSV file, a folder or a glob of them; may begin with $FLYBALL_DATA/
    label: str
    timestamp: str | None = None
    key: str | None = None  # the unit that sticks to an arm; without one the request id
    label_window_s: Seconds = 0.0  # after this a label counts as matured
    pin: Pin | None = None  # where the rows of source came from, if that is kept


class Gate(Record):
    """One condition on a candidate: a floor, a ceiling, a comparison with the champion, a test suite, or a CEL text."""

    metric: str | None = None
    suite: Suite | None = None  # every hard test of it passes
    expression: str | None = None  # CEL over the evidence; anything but true fails
    name: str | None = None  # of the result, where the condition itself is not to be it
    dimension: Dimension | None = None  # which light of the page it belongs to; None: by what it reads
    min: float | None = None
    max: float | None = None
    versus: Literal["champion"] | None = None
    not_worse_by: float | str | None = None  # in the metric's unit, or `2%` of the champion's value
    better_by: float | str | None = None
    inconclusive: Literal["fail", "shadow"] = "fail"


class Shadow(Record):
    share: Share = 0.05  # ceiling of mirrored rows; 1.0 below ten requests a second
    min_pairs: Count = 200
    labels: Literal["if_available", "required"] = "if_available"
    max_disagreement: Share | None = None
    min_s: Seconds = 0.0
    timeout_s: Seconds = 86_400.0
    on_timeout: OnTimeout = "hold"


class Approval(Record):
    role: Role = "approver"
    quorum: Annotated[int, Meta(ge=1)] = 1  # different people who have to say yes
    timeout_s: Seconds = 7 * 86_400.0
    on_timeout: OnTimeout = "abort"


class Canary(Record):
    weight: Annotated[float, Meta(ge=0.0001, le=1)]
    min_requests: Count = 300  # the candidate's own
    min_s: Seconds = 5.0
    timeout_s: Seconds = 3600.0
    on_timeout: OnTimeout = "hold"


class Pause(Record):
    duration_s: Seconds | None = None  # null: until a person resumes


class Soak(Record):
    """Everybody but a holdback gets the candidate, and late labels are waited for before it becomes champion."""

    holdback: Annotated[float, Meta(ge=0.0001, le=0.5)] = 0.05  # share of units that keeps the champion
    min_requests: Count = 300
    min_s: Seconds = 86_400.0
    timeout_s: Seconds = 7 * 86_400.0
    on_timeout: OnTimeout = "hold"
    max_errors: Annotated[int, Meta(ge=1)] | None = None  # in place of the guardrails'; null: statistics alone

    @property
    def canary(self) -> Canary:
        """What it is to whoever moves weights."""
        return Canary(
            weight=1.0 - self.holdback,
            min_requests=self.min_requests,
            min_s=self.min_s,
            timeout_s=self.timeout_s,
            on_timeout=self.on_timeout,
        )


class Promote(Record):
    pass


class Step(Record, omit_defaults=True):
    """One step of a rollout: exactly one of the six is given."""

    shadow: Shadow | None = None
    approval: Approval | None = None
    canary: Canary | None = None
    pause: Pause | None = None
    soak: Soak | None = None
    promote: Promote | None = None

    @property
    def kind(self) -> StepKind:
        if self.shadow is not None:
            return "shadow"
        if self.approval is not None:
            return "approval"
        if self.canary is not None:
            return "canary"
        if self.soak is not None:
            return "soak"
        return "pause" if self.pause is not None else "promote"

    @property
    def live(self) -> Canary | None:
        """Of a step in which clients get answers of the candidate: how, as a canary."""
        return self.soak.canary if self.soak is not None else self.canary

    @property
    def ends_s(self) -> float:
        """When a step that collects evidence is undecided: `extend` gives it its time once more."""
        timed = self.shadow or self.live
        if timed is None:
            return math.inf
        return timed.timeout_s * (2 if timed.on_timeout == "extend" else 1)


def default_steps() -> tuple[Step, ...]:
    return (
        Step(shadow=Shadow()),
        Step(approval=Approval()),
        Step(canary=Canary(weight=0.01, min_s=300)),
        Step(canary=Canary(weight=0.10, min_s=300)),
        Step(canary=Canary(weight=0.50, min_s=300)),
        Step(promote=Promote()),
    )


class Rollout(Record):
    guardrails: Guardrails = field(default_factory=Guardrails)
    steps: tuple[Step, ...] = field(default_factory=default_steps)
    waive: dict[
        str, Annotated[str, Meta(min_length=1)]
    ] = {}  # name of a step that may be underpowered -> why that is right


class Psi(Record):
    warn: Positive = 0.10
    act: Positive = 0.25
    consecutive: Annotated[int, Meta(ge=1)] = 3  # windows over `act` before the trigger fires


class LiveMetric(Record):
    name: str
    max_loss: float | str  # worse by, in the metric's unit, or `5%` of the holdout value


class Quality(Record):
    settle_windows: Annotated[int, Meta(ge=1)] = 5
    max_violations: Share = 0.01  # rows of a window that may break the contract
    max_missing: Share = 0.10  # missing values of a feature in a window beyond its baseline's share
    max_unseen: Share = 0.10  # values of a category that the baseline hardly knows, beyond its share
    max_type_changes: Share = 0.01  # values of another type than the baseline's
    max_duplicates: Share = 0.10  # rows that repeat a row of their window, beyond what windows before had
    max_out_of_range: Share = 0.01  # values far beyond any that were seen, beyond what windows before had
    min_availability: Share = 0.99  # of a feature, as a share of what its baseline had
    max_label_change: Share = 0.15  # of a class's share among the labels that arrive
    max_volume_factor: Annotated[float, Meta(gt=1)] = 3.0  # of the rows of a window that closes by time


class Detector(Record):
    arl_windows: Annotated[float, Meta(gt=1)] = 1000.0  # windows of a service between false alarms, at least
    tolerance: Annotated[float, Meta(ge=0)] = 0.005  # a change up to this PSI is none
    fdr: Annotated[float, Meta(gt=0, lt=1)] = 0.10  # expected share of false ones among the features that are named
    retrain: bool = False  # whether its signal counts for the drift trigger


class Monitor(Record):
    window_rows: Annotated[int, Meta(ge=1)] = 1000
    window_s: Positive | None = None
    pane_s: Positive = 10.0
    psi: Psi = field(default_factory=Psi)
    live_metric: LiveMetric | None = None
    quality: Quality = field(default_factory=Quality)
    slices: Annotated[tuple[str | Slice, ...], Meta(max_length=10)] = ()  # columns, or conditions
    value: BusinessValue | None = None
    cost: Cost | None = None
    examples: Annotated[int, Meta(ge=0, le=200)] = 10  # failing rows kept for each window and arm
    detector: Detector = field(default_factory=Detector)
    health: HealthRules = field(default_factory=HealthRules)


class Replay(Record):
    train_rows: Annotated[int, Meta(ge=1)] = 5_000
    label_delay_rows: Count = 0
    approve_after_rows: Count = 0


class Service(Record):
    """One `service.yaml`."""

    apiVersion: Literal["flyball/v1"]
    kind: Literal["Service"]
    metadata: Metadata
    data: Data
    experiment: Experiment
    gates: tuple[Gate, ...] = ()
    serving: Serving = field(default_factory=Serving)
    routing: Cohorts = field(default_factory=Cohorts)
    rollout: Rollout = field(default_factory=Rollout)
    monitor: Monitor = field(default_factory=Monitor)
    retrain: Retrain = field(default_factory=Retrain)
    autonomy: Autonomy = field(default_factory=Autonomy)
    policy: Policy = field(default_factory=Policy)
    healing: Healing = field(default_factory=Healing)
    review: Review = field(default_factory=Review)
    slo: Slo | None = None  # None: error budgets are shown, and nothing follows from them
    drills: Schedule = {}
    replay: Replay = field(default_factory=Replay)
    alerts: Alerts | None = None  # None: nobody has said who is to be told, so nothing is raised
    events: tuple[Destination, ...] = ()
    incidents: Incidents = field(default_factory=Incidents)
