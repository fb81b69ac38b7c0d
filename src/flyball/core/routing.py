"""Who gets which traffic, and what the gateway may do about it by itself."""

from typing import Literal

from msgspec import UNSET, UnsetType, field

from flyball.core.arms import Arm
from flyball.core.declared.guardrails import Guardrails
from flyball.core.ids import ReleaseRoot, RolloutId, ServiceName
from flyball.core.record import Record

WHOLE = 10_000  # weights are integers of 0.01 %


class Relief(Record, omit_defaults=True):
    """What is done for a time so that clients fare better while something is broken; it cures nothing."""

    fall_back: bool = False  # rows of the champion are answered by the fallback chain, marked
    releases: bool = True  # the chain may ask releases; False: only links that ask nobody
    shed: float = 0.0  # share of the requests of low priority that are turned away, 0..1
    until: str = ""  # RFC 3339, UTC: without a controller the gateway goes on as before by then


class Routing(Record):
    """The routing table of one service at one epoch."""

    service: ServiceName
    epoch: int
    champion: ReleaseRoot
    previous: ReleaseRoot | None = None  # kept warm: the target of a fallback
    candidate: ReleaseRoot | None = None
    weight: int = 0  # candidate's share of units, of 10,000
    shadow: float = 0.0  # ceiling of the share of rows mirrored to the candidate
    salt: str = ""  # new with every rollout
    rollout: RolloutId | None = None  # or the A/B test whose arms these are
    step: int | None = None
    guardrails: Guardrails | None = None  # authority: with it the gateway may set the weight to 0 by itself
    # of an A/B test; what no arm has is the champion's. Written only where there are some: a gateway from before there
    # were arms reads every other table, and refuses one with arms instead of serving it wrongly.
    arms_: tuple[Arm, ...] | UnsetType = field(default=UNSET, name="arms")

    # written only where there is one: a gateway that knows of none refuses the table instead of serving it wrongly
    relief_: Relief | UnsetType = field(default=UNSET, name="relief")

    @property
    def relief(self) -> Relief | None:
        return None if self.relief_ is UNSET else self.relief_

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Those of an A/B test beside the champion; empty: there is none."""
        return () if self.arms_ is UNSET else self.arms_


class ArmCounts(Record):
    """Integers of one arm in one step (shadow: of the rows mirrored to it)."""

    requests: int = 0
    units: int = 0  # first seen in this step
    errors: int = 0  # error events
    slow: int = 0  # slow events
    failed: int = 0  # answers the client did not get

    def plus(self, other: "ArmCounts") -> "ArmCounts":
        return ArmCounts(
            requests=self.requests + other.requests,
            units=self.units + other.units,
            errors=self.errors + other.errors,
            slow=self.slow + other.slow,
            failed=self.failed + other.failed,
        )


class TestSums(Record):
    """Log e-values of the two-arm tests; adding those of workers is multiplying independent e-values."""

    errors: float = 0.0
    slow: float = 0.0

    def plus(self, other: "TestSums") -> "TestSums":
        return TestSums(errors=self.errors + other.errors, slow=self.slow + other.slow)


class ArmEvidence(Record):
    """What one arm of an A/B test has done so far."""

    name: str
    step: ArmCounts = ArmCounts()  # since the weights were changed last
    total: ArmCounts = ArmCounts()  # since the test began, a unit once each time that the weights were changed
    tests: TestSums = TestSums()  # against the champion, never restarted; the champion's own are 0

    def plus(self, other: "ArmEvidence") -> "ArmEvidence":
        return ArmEvidence(
            name=self.name,
            step=self.step.plus(other.step),
            total=self.total.plus(other.total),
            tests=self.tests.plus(other.tests),
        )


class OwnRates(Record):
    """The candidate's rates beside what they were before (`stats.rate_rise`): a suspicion, no finding."""

    risen: TestSums = TestSums()  # whether they have risen, nats, at least 0
    still: TestSums = TestSums()  # of several times the rates before the step over these, in this step, nats


class StepCounts(Record):
    """What the gateway has seen of the running step, and of the whole rollout."""

    service: ServiceName
    epoch: int
    rollout: RolloutId | None
    step: int | None
    champion: ArmCounts = ArmCounts()
    candidate: ArmCounts = ArmCounts()
    shadow: ArmCounts = ArmCounts()
    pairs: int = 0  # rows that champion and shadow both answered
    disagreements: int = 0
    step_tests: TestSums = TestSums()  # fresh in every step: may it advance?
    rollout_tests: TestSums = TestSums()  # never restarted: must it go back? Of a gateway: `stats.change_point`
    rollout_candidate: ArmCounts = ArmCounts()  # summed over the steps so far
    received: int = 0
    written: int = 0
    dropped: int = 0
    arms_: tuple[ArmEvidence, ...] | UnsetType = field(default=UNSET, name="arms")  # of an A/B test, the champion first
    own_rates_: OwnRates | UnsetType = field(default=UNSET, name="own_rates")  # left out where nothing is known

    @property
    def arms(self) -> tuple[ArmEvidence, ...]:
        return () if self.arms_ is UNSET else self.arms_

    @property
    def own_rates(self) -> OwnRates:
        return OwnRates() if self.own_rates_ is UNSET else self.own_rates_


class PairEvidence(Record):
    """Shadow pairs whose label has matured. For a regression the closer answer is the right one; a tie is neither."""

    pairs: int = 0  # rows that both arms answered and whose label is known
    candidate_only: int = 0  # pairs in which the candidate alone was right
    champion_only: int = 0  # pairs in which the champion alone was right


# why a verdict is no yes; `max_errors`: without statistics, `common_cause`: the champion errs as well, `health`: a
# remedy against what makes the whole service unwell
Cause = (
    Literal["errors", "slow", "max_errors", "common_cause", "labels", "metric", "disagreement", "ratio_mismatch"]
    | Literal["timeout", "refused", "health", "none"]
)


class Verdict(Record):
    """The answer of every automatic judgement."""

    kind: Literal["PROMOTE", "HOLD", "ROLL_BACK", "INCONCLUSIVE", "INVALID"]
    reason: str
    cause: Cause = "none"
    numbers: dict[str, float] = {}
    waiting_for: tuple[str, ...] = ()


class ArmStop(Record):
    """The gateway has set the weight of one arm of an A/B test to 0; the other arms go on."""

    arm: str
    release: ReleaseRoot
    verdict: Verdict
    at: str
    seconds: float = 0.0  # from the first answer of any arm but the champion to weight 0


class Stopped(Record):
    """The gateway has set a candidate's weight to 0 by its own authority, or that of some arms of an A/B test."""

    rollout: RolloutId
    epoch: int
    verdict: Verdict
    counts: StepCounts
    at: str
    seconds: float = 0.0  # from the first candidate answer of the rollout to weight 0
    # of an A/B test, oldest first; `verdict` and the rest are of the newest
    arms_: tuple[ArmStop, ...] | UnsetType = field(default=UNSET, name="arms")

    @property
    def arms(self) -> tuple[ArmStop, ...]:
        """Arms that were stopped; empty: it was the candidate of a rollout."""
        return () if self.arms_ is UNSET else self.arms_


class Observed(Record):
    """What a gateway says of one service when asked."""

    routing: Routing | None
    counts: StepCounts | None
    stopped: Stopped | None = None
    life: str = ""  # of the process that answers, another after each start; empty: it does not say
    owner: str = ""  # name of whoever starts it again by itself; empty: nobody is known to
    alone: bool = False  # one process answers, which makes room for no fresh one
