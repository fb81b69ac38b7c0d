"""The facts on the ledger. One struct a fact; the tag is its `type`; everything else we know is a fold over them."""

from typing import Any, Literal

from flyball.core.declared.kinds import Remedy
from flyball.core.fact import Fact as Fact
from flyball.core.fact import Proof as Proof
from flyball.core.fact import Reason as Reason
from flyball.core.facts.ab import AbArmStopped as AbArmStopped
from flyball.core.facts.ab import AbClosed as AbClosed
from flyball.core.facts.ab import AbStarted as AbStarted
from flyball.core.facts.ab import AbStopOrdered as AbStopOrdered
from flyball.core.facts.ab import AbWeighed as AbWeighed
from flyball.core.facts.access import AccessCalm as AccessCalm
from flyball.core.facts.access import AccessRefused as AccessRefused
from flyball.core.facts.alert import AlertAcked as AlertAcked
from flyball.core.facts.alert import AlertEscalated as AlertEscalated
from flyball.core.facts.alert import AlertHeld as AlertHeld
from flyball.core.facts.alert import AlertRaised as AlertRaised
from flyball.core.facts.alert import AlertResolved as AlertResolved
from flyball.core.facts.alert import AlertsSilenced as AlertsSilenced
from flyball.core.facts.alert import AlertsTested as AlertsTested
from flyball.core.facts.alert import SilenceEnded as SilenceEnded
from flyball.core.facts.drill import DrillBegun as DrillBegun
from flyball.core.facts.drill import DrillCandidate as DrillCandidate
from flyball.core.facts.drill import DrillEnded as DrillEnded
from flyball.core.facts.drill import DrillWithdrawn as DrillWithdrawn
from flyball.core.facts.exception import ExceptionConfirmed as ExceptionConfirmed
from flyball.core.facts.exception import ExceptionEnded as ExceptionEnded
from flyball.core.facts.exception import ExceptionRequested as ExceptionRequested
from flyball.core.facts.fallback import FallbackExercised as FallbackExercised
from flyball.core.facts.healing import RemedyBegun as RemedyBegun
from flyball.core.facts.healing import RemedyEnded as RemedyEnded
from flyball.core.facts.healing import RemedyVerified as RemedyVerified
from flyball.core.facts.health import BudgetBurning as BudgetBurning
from flyball.core.facts.health import BudgetCalm as BudgetCalm
from flyball.core.facts.health import BudgetRestored as BudgetRestored
from flyball.core.facts.health import BudgetSpent as BudgetSpent
from flyball.core.facts.health import HealthChanged as HealthChanged
from flyball.core.facts.incident import ForensicsKept as ForensicsKept
from flyball.core.facts.incident import IncidentClosed as IncidentClosed
from flyball.core.facts.incident import IncidentOpened as IncidentOpened
from flyball.core.facts.retrain import RemedyReviewed as RemedyReviewed
from flyball.core.facts.retrain import TicketApproved as TicketApproved
from flyball.core.facts.retrain import TriggerReceived as TriggerReceived
from flyball.core.facts.rollout import ApprovalGiven as ApprovalGiven
from flyball.core.facts.rollout import ApprovalRejected as ApprovalRejected
from flyball.core.facts.rollout import ApprovalRequested as ApprovalRequested
from flyball.core.facts.rollout import ReleaseWanted as ReleaseWanted
from flyball.core.facts.rollout import RollbackOrdered as RollbackOrdered
from flyball.core.facts.rollout import RolledBack as RolledBack
from flyball.core.facts.rollout import RolloutClosed as RolloutClosed
from flyball.core.facts.rollout import RolloutOpened as RolloutOpened
from flyball.core.facts.rollout import RolloutPaused as RolloutPaused
from flyball.core.facts.rollout import RolloutResumed as RolloutResumed
from flyball.core.facts.rollout import RoutingApplied as RoutingApplied
from flyball.core.facts.rollout import RoutingOrdered as RoutingOrdered
from flyball.core.facts.rollout import RoutingRefused as RoutingRefused
from flyball.core.facts.rollout import RoutingRepeated as RoutingRepeated
from flyball.core.facts.rollout import StepJudged as StepJudged
from flyball.core.facts.rollout import StepSkipped as StepSkipped
from flyball.core.facts.rollout import StepStarted as StepStarted
from flyball.core.facts.rollout import StepWaived as StepWaived
from flyball.core.facts.routine import BackfillDone as BackfillDone
from flyball.core.facts.routine import BackupMade as BackupMade
from flyball.core.facts.routine import DigestWritten as DigestWritten
from flyball.core.facts.routine import RunbookStepDone as RunbookStepDone
from flyball.core.facts.storage import HoldLifted as HoldLifted
from flyball.core.facts.storage import HoldPlaced as HoldPlaced
from flyball.core.facts.storage import StorageCollected as StorageCollected
from flyball.core.facts.training import EvidenceAttached as EvidenceAttached
from flyball.core.facts.training import GatesJudged as GatesJudged
from flyball.core.facts.training import ReleaseRegistered as ReleaseRegistered
from flyball.core.facts.training import ReproductionJudged as ReproductionJudged
from flyball.core.facts.training import RunFinished as RunFinished
from flyball.core.facts.training import TrainingFailed as TrainingFailed
from flyball.core.facts.training import TrainingStarted as TrainingStarted
from flyball.core.ids import Digest, ReleaseRoot, RolloutId
from flyball.core.pressure import Pressure
from flyball.core.release import Snapshot
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
    life: str = ""  # of a gateway: which of its lives, as it says itself
    silent_s: float = 0.0  # of a gateway: for so long no controller had an answer before this


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
    | DrillCandidate
    | DrillWithdrawn
    | DrillEnded
    | DigestWritten
    | BackfillDone
    | BackupMade
    | RunbookStepDone
)
