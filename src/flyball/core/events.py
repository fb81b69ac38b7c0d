"""The facts on the ledger. One struct a fact; the tag is its `type`; everything else we know is a fold over them."""

from typing import Any, Literal

from flyball.core.ab_facts import AbArmStopped as AbArmStopped
from flyball.core.ab_facts import AbClosed as AbClosed
from flyball.core.ab_facts import AbStarted as AbStarted
from flyball.core.ab_facts import AbStopOrdered as AbStopOrdered
from flyball.core.ab_facts import AbWeighed as AbWeighed
from flyball.core.access_facts import AccessCalm as AccessCalm
from flyball.core.access_facts import AccessRefused as AccessRefused
from flyball.core.alert_facts import AlertAcked as AlertAcked
from flyball.core.alert_facts import AlertEscalated as AlertEscalated
from flyball.core.alert_facts import AlertHeld as AlertHeld
from flyball.core.alert_facts import AlertRaised as AlertRaised
from flyball.core.alert_facts import AlertResolved as AlertResolved
from flyball.core.alert_facts import AlertsSilenced as AlertsSilenced
from flyball.core.alert_facts import AlertsTested as AlertsTested
from flyball.core.alert_facts import SilenceEnded as SilenceEnded
from flyball.core.declared_kinds import Remedy
from flyball.core.drill_facts import DrillBegun as DrillBegun
from flyball.core.drill_facts import DrillEnded as DrillEnded
from flyball.core.exception_facts import ExceptionConfirmed as ExceptionConfirmed
from flyball.core.exception_facts import ExceptionEnded as ExceptionEnded
from flyball.core.exception_facts import ExceptionRequested as ExceptionRequested
from flyball.core.fact import Fact as Fact
from flyball.core.fact import Proof as Proof
from flyball.core.fact import Reason as Reason
from flyball.core.fallback_facts import FallbackExercised as FallbackExercised
from flyball.core.healing_facts import RemedyBegun as RemedyBegun
from flyball.core.healing_facts import RemedyEnded as RemedyEnded
from flyball.core.healing_facts import RemedyVerified as RemedyVerified
from flyball.core.health_facts import BudgetBurning as BudgetBurning
from flyball.core.health_facts import BudgetCalm as BudgetCalm
from flyball.core.health_facts import BudgetRestored as BudgetRestored
from flyball.core.health_facts import BudgetSpent as BudgetSpent
from flyball.core.health_facts import HealthChanged as HealthChanged
from flyball.core.ids import Digest, ReleaseRoot, RolloutId
from flyball.core.incident_facts import ForensicsKept as ForensicsKept
from flyball.core.incident_facts import IncidentClosed as IncidentClosed
from flyball.core.incident_facts import IncidentOpened as IncidentOpened
from flyball.core.pressure import Pressure
from flyball.core.release import Snapshot
from flyball.core.retrain_facts import RemedyReviewed as RemedyReviewed
from flyball.core.retrain_facts import TicketApproved as TicketApproved
from flyball.core.retrain_facts import TriggerReceived as TriggerReceived
from flyball.core.rollout_facts import ApprovalGiven as ApprovalGiven
from flyball.core.rollout_facts import ApprovalRejected as ApprovalRejected
from flyball.core.rollout_facts import ApprovalRequested as ApprovalRequested
from flyball.core.rollout_facts import ReleaseWanted as ReleaseWanted
from flyball.core.rollout_facts import RollbackOrdered as RollbackOrdered
from flyball.core.rollout_facts import RolledBack as RolledBack
from flyball.core.rollout_facts import RolloutClosed as RolloutClosed
from flyball.core.rollout_facts import RolloutOpened as RolloutOpened
from flyball.core.rollout_facts import RolloutPaused as RolloutPaused
from flyball.core.rollout_facts import RolloutResumed as RolloutResumed
from flyball.core.rollout_facts import RoutingApplied as RoutingApplied
from flyball.core.rollout_facts import RoutingOrdered as RoutingOrdered
from flyball.core.rollout_facts import RoutingRefused as RoutingRefused
from flyball.core.rollout_facts import RoutingRepeated as RoutingRepeated
from flyball.core.rollout_facts import StepJudged as StepJudged
from flyball.core.rollout_facts import StepSkipped as StepSkipped
from flyball.core.rollout_facts import StepStarted as StepStarted
from flyball.core.rollout_facts import StepWaived as StepWaived
from flyball.core.routine_facts import BackfillDone as BackfillDone
from flyball.core.routine_facts import BackupMade as BackupMade
from flyball.core.routine_facts import DigestWritten as DigestWritten
from flyball.core.routine_facts import RunbookStepDone as RunbookStepDone
from flyball.core.storage_facts import HoldLifted as HoldLifted
from flyball.core.storage_facts import HoldPlaced as HoldPlaced
from flyball.core.storage_facts import StorageCollected as StorageCollected
from flyball.core.training_facts import EvidenceAttached as EvidenceAttached
from flyball.core.training_facts import GatesJudged as GatesJudged
from flyball.core.training_facts import ReleaseRegistered as ReleaseRegistered
from flyball.core.training_facts import ReproductionJudged as ReproductionJudged
from flyball.core.training_facts import RunFinished as RunFinished
from flyball.core.training_facts import TrainingFailed as TrainingFailed
from flyball.core.training_facts import TrainingStarted as TrainingStarted
from flyball.core.watching import Diagnosis, Signal


class ServiceDeclared(Fact, tag="service.declared"):
    policy: Digest  # digest of gates, rollout, monitor, retrain, autonomy, policy and healing
    declaration: dict[str, Any]
    folder: str  # name of the folder, never its path


class SnapshotTaken(Fact, tag="snapshot.taken"):
    snapshot: Snapshot


class ChampionAppointed(Fact, tag="champion.appointed"):
    release: ReleaseRoot
    previous: ReleaseRoot | None
    rollout: RolloutId | None = None
    by: str = "policy"
    rubber_stamped: bool = False
    proof: Proof | None = None  # of the name, where a person appointed a first release
    why: str = ""
    alone: str = ""  # the rule of the policy by which nobody was asked


class SignalRaised(Fact, tag="signal.raised"):
    signal: Signal


class SignalCleared(Fact, tag="signal.cleared"):
    signal: str
    feature: str | None = None


class DiagnosisMade(Fact, tag="diagnosis.made"):
    diagnosis: Diagnosis
    ticket: str | None = None


class TicketOpened(Fact, tag="ticket.opened"):
    ticket: str
    kind: Literal["retrain"]
    reason: Reason
    diagnosis: Diagnosis
    evidence: tuple[Signal, ...] = ()
    row: int = 0  # stream position at which it was opened
    why: str = ""  # what asked, in words
    rung: Remedy | None = None  # how far the loop may go with it; None: an earlier version, or a person, opened it
    asked_by: str = ""  # the person whose message it was
    pressures: tuple[Pressure, ...] = ()  # as they stood


class RetrainOrdered(Fact, tag="retrain.ordered"):
    """The intent to train: by policy, or by a person."""

    ticket: str
    key: str
    by: str
    proof: Proof
    reason: Reason


class TicketClosed(Fact, tag="ticket.closed"):
    ticket: str
    outcome: Literal["promoted", "no_gain", "failed", "dismissed"]
    reason: str


class Frozen(Fact, tag="service.frozen"):
    by: str
    why: str


class Thawed(Fact, tag="service.thawed"):
    by: str
    why: str


class DecisionTaken(Fact, tag="decision.taken"):
    """What the planner did or left undone, written when the answer changes."""

    action: str
    why: str
    waiting_for: tuple[str, ...] = ()


class CommandGivenUp(Fact, tag="command.given_up"):
    """An order that failed as often as its kind may. Nobody tries it any more; a person should look why."""

    key: str
    kind: str  # `route`, `train`
    attempts: int
    error: str  # of the last attempt
    ticket: str | None = None  # of a training


class ProcessStarted(Fact, tag="process.started"):
    process: Literal["gateway", "controller", "replay", "demo"]
    epoch: int = 0
    owner: str = ""  # under which name it holds its leases: whoever starts it again by itself keeps it


AnyFact = (
    ServiceDeclared
    | SnapshotTaken
    | TrainingStarted
    | TrainingFailed
    | RunFinished
    | ReleaseRegistered
    | GatesJudged
    | EvidenceAttached
    | ReproductionJudged
    | ChampionAppointed
    | RolloutOpened
    | StepStarted
    | RoutingOrdered
    | RoutingApplied
    | RoutingRefused
    | RoutingRepeated
    | StepJudged
    | ApprovalRequested
    | ApprovalGiven
    | ApprovalRejected
    | ExceptionRequested
    | ExceptionConfirmed
    | ExceptionEnded
    | RolledBack
    | RolloutClosed
    | ReleaseWanted
    | RolloutPaused
    | RolloutResumed
    | StepSkipped
    | StepWaived
    | SignalRaised
    | SignalCleared
    | DiagnosisMade
    | TriggerReceived
    | TicketOpened
    | TicketApproved
    | RemedyReviewed
    | RetrainOrdered
    | TicketClosed
    | IncidentOpened
    | IncidentClosed
    | RollbackOrdered
    | Frozen
    | Thawed
    | DecisionTaken
    | CommandGivenUp
    | ProcessStarted
    | HoldPlaced
    | HoldLifted
    | StorageCollected
    | FallbackExercised
    | AbStarted
    | AbWeighed
    | AbArmStopped
    | AbStopOrdered
    | AbClosed
    | HealthChanged
    | BudgetSpent
    | BudgetRestored
    | BudgetBurning
    | BudgetCalm
    | ForensicsKept
    | RemedyBegun
    | RemedyVerified
    | RemedyEnded
    | AccessRefused
    | AccessCalm
    | AlertRaised
    | AlertHeld
    | AlertAcked
    | AlertEscalated
    | AlertResolved
    | AlertsTested
    | AlertsSilenced
    | SilenceEnded
    | DrillBegun
    | DrillEnded
    | DigestWritten
    | BackfillDone
    | BackupMade
    | RunbookStepDone
)
