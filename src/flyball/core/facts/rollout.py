"""The facts of a rollout: its steps, the routings ordered for them, the approvals, and how it ended."""

from typing import Any, Literal

from flyball.core.declared.kinds import StepKind
from flyball.core.fact import Fact, Proof, Reason
from flyball.core.ids import Digest, ReleaseRoot, RolloutId
from flyball.core.rollout_power import RolloutPower
from flyball.core.routing import Routing, StepCounts, Verdict


class RolloutOpened(Fact, tag="rollout.opened"):
    rollout: RolloutId
    release: ReleaseRoot
    champion: ReleaseRoot
    policy: Digest
    salt: str
    reason: Reason
    exceptions: tuple[str, ...] = ()  # that it stands on: gates that failed and that two people let pass
    power: RolloutPower | None = None  # whether its steps can answer at the traffic of that moment; None: nobody looked
    drill: str = ""  # whose candidate is tried, and never becomes champion; empty: a release is


class StepStarted(Fact, tag="step.started"):
    """The intent of a step; `routing` carries the authority to go back to weight 0."""

    rollout: RolloutId
    step: int
    kind: StepKind
    key: str  # idempotency key of the order to the gateway
    routing: Routing
    why: str


class RoutingOrdered(Fact, tag="routing.ordered"):
    """The intent of a routing outside the steps: a first champion, a way back."""

    key: str
    routing: Routing
    why: str


class RoutingRepeated(Fact, tag="routing.repeated"):
    """The intent to give the gateway an order once more: it lost it, or did not take it for long."""

    key: str
    epoch: int
    why: str


class RoutingApplied(Fact, tag="routing.applied"):
    """The outcome: the gateway holds this epoch."""

    key: str
    epoch: int


class RoutingRefused(Fact, tag="routing.refused"):
    """The gateway will not have this order: a release in it does not verify, cannot be loaded, or is not there."""

    key: str
    epoch: int
    error: str


class StepJudged(Fact, tag="step.judged"):
    rollout: RolloutId
    step: int
    verdict: Verdict
    counts: StepCounts | None = None


class ApprovalRequested(Fact, tag="approval.requested"):
    """What exactly is asked for; a change in any digest voids it."""

    rollout: RolloutId
    step: int
    model: ReleaseRoot
    evidence: Digest
    policy: Digest
    role: str
    expires_at: str
    report: dict[str, Any] = {}  # gates and shadow report, frozen
    quorum: int = 1  # different people who have to say yes
    alone: str = ""  # the rule of the policy by which nobody has to


class ApprovalGiven(Fact, tag="approval.given"):
    rollout: RolloutId
    model: ReleaseRoot
    evidence: Digest
    policy: Digest
    by: str
    proof: Proof
    why: str = ""
    alone: bool = False  # who approved had the release trained: nobody else has the role


class ApprovalRejected(Fact, tag="approval.rejected"):
    rollout: RolloutId
    by: str
    proof: Proof
    why: str = ""


class RolledBack(Fact, tag="rollout.rolled_back"):
    rollout: RolloutId
    release: ReleaseRoot  # the one that went
    to: ReleaseRoot
    cause: str
    by: str  # `gateway`, `controller`, or a person
    verdict: Verdict
    epoch: int
    counts: StepCounts | None = None
    seconds: float = 0.0  # from the first candidate answer to weight 0
    seen_by_gateway: bool = False


class RolloutClosed(Fact, tag="rollout.closed"):
    rollout: RolloutId
    outcome: Literal["promoted", "rolled_back", "rejected", "expired"]
    reason: str
    again: bool = False  # nothing speaks against the release: it may be rolled out once more


class RollbackOrdered(Fact, tag="rollback.ordered"):
    """A person wants the running rollout, or else the champion, taken back."""

    key: str
    by: str
    proof: Proof
    why: str


class RolloutPaused(Fact, tag="rollout.paused"):
    """A person holds the rollout: no next step, no more weight. The guardrails stay on, and less weight is let by."""

    rollout: RolloutId
    by: str
    proof: Proof
    why: str = ""


class RolloutResumed(Fact, tag="rollout.resumed"):
    rollout: RolloutId
    by: str
    proof: Proof
    why: str = ""


class StepSkipped(Fact, tag="step.skipped"):
    """A person ends the wait of the running step. What only can stop the rollout is not skipped."""

    rollout: RolloutId
    step: int
    by: str
    proof: Proof
    why: str = ""


class StepWaived(Fact, tag="step.waived"):
    """A person accepts that a step cannot answer in its time, for as long as the policy stays as it is."""

    step: str  # its name: `core.step_names`
    policy: Digest
    by: str
    proof: Proof
    why: str


class ReleaseWanted(Fact, tag="release.wanted"):
    """A person wants this release rolled out next: one that waits, or, with a reason, one that was withdrawn."""

    release: ReleaseRoot
    by: str
    proof: Proof
    why: str = ""
