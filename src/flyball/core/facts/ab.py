"""The facts of an A/B test. A person begins it, weighs its arms, ends it; the gateway may take an arm's units away."""

from typing import Literal

from flyball.core.arms import Arm
from flyball.core.fact import Fact, Proof
from flyball.core.ids import ReleaseRoot, RolloutId
from flyball.core.routing import StepCounts, Verdict
from flyball.core.service import Guardrails

# what the arms are compared by, beside errors and slow answers: the share of predictions that the label confirms, how
# far they are from it, or the label itself (a conversion, a revenue)
AbMetric = Literal["accuracy", "mae", "label"]
AbOutcome = Literal["stopped", "over", "refused", "no_arm_left", "champion_gone"]


class AbStarted(Fact, tag="ab.started"):
    """The intent of a test, and with it the gateway's authority to stop its arms."""

    test: RolloutId
    champion: ReleaseRoot
    arms: tuple[Arm, ...]
    guardrails: Guardrails  # alpha is of all arms together; the test runs under these to its end
    by: str
    proof: Proof
    metric: AbMetric | None = None
    until: str | None = None  # RFC 3339, UTC; None: until a person ends it
    why: str = ""


class AbWeighed(Fact, tag="ab.weighed"):
    """The arms as they are to be from now on; their names and releases are those of the start."""

    test: RolloutId
    arms: tuple[Arm, ...]
    by: str
    proof: Proof
    why: str = ""


class AbArmStopped(Fact, tag="ab.arm_stopped"):
    """The gateway has given an arm's units back to the champion; the other arms go on."""

    test: RolloutId
    arm: str
    release: ReleaseRoot
    verdict: Verdict
    epoch: int
    stopped_at: str
    seconds: float = 0.0  # from the first answer of any arm but the champion
    counts: StepCounts | None = None


class AbStopOrdered(Fact, tag="ab.stop_ordered"):
    """A person wants the test to end."""

    test: RolloutId
    by: str
    proof: Proof
    winner: str | None = None  # the arm whose release is to be rolled out; None: none is
    why: str = ""


class AbClosed(Fact, tag="ab.closed"):
    """All traffic is the champion's again; nothing was promoted."""

    test: RolloutId
    outcome: AbOutcome
    reason: str
    counts: StepCounts | None = None  # as they stood; None: the gateway did not answer
