"""The `healing` of a service: against which cause which remedies are tried, in which order, and within which bounds.

A cause is the fingerprint that signs, incidents and alerts of one trouble share: `errors`, `drift/amount`, `upstream`.
"""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.declared.kinds import Count, Positive, Seconds, Share
from flyball.core.health import Severity
from flyball.core.record import Record

HealingKind = Literal["fall_back", "roll_back", "shed", "recycle_worker", "freeze", "retrain", "quarantine", "page"]
DAY_S = 86_400.0
# within this, beyond the time that a sign takes to clear, a remedy has to have helped where the policy does not say
VERIFY_S: dict[HealingKind, float] = {
    "fall_back": 120.0,
    "roll_back": 300.0,
    "shed": 120.0,
    "recycle_worker": 180.0,
    "freeze": 0.0,  # it cures nothing: what is to follow follows at once
    "retrain": 7 * DAY_S,
    "quarantine": DAY_S,
    "page": 3600.0,
}


class DeclaredRemedy(Record, omit_defaults=True):
    """One remedy of a policy, with its bounds."""

    kind: HealingKind
    verify_s: Seconds | None = None  # the cause is gone by then, or the next follows; null: as its kind needs
    per_day: Count = 3  # times in any 24 hours, whatever the cause; over it a person is paged, and nothing else
    share: Share = 0.5  # shed: of the requests of low priority

    def within_s(self, clear_s: float) -> float:
        """`clear_s`: that a sign has to be gone for before it is dropped (`monitor.health.clear_s`)."""
        return clear_s + VERIFY_S[self.kind] if self.verify_s is None else self.verify_s


class HealingPolicy(Record, omit_defaults=True):
    """What is done about a cause. The first policy that fits holds."""

    cause: str  # `errors`; of `drift/amount` also `drift`; `failed`: whatever made the service FAILED
    remedies: tuple[DeclaredRemedy, ...]
    least: Severity = "critical"  # of the sign, before anything is done
    when: str | None = None  # CEL over the facts of `core.policy_facts`; null: always


def _remedies(*kinds: HealingKind) -> tuple[DeclaredRemedy, ...]:
    return tuple(DeclaredRemedy(kind=kind) for kind in kinds)


def default_policies() -> tuple[HealingPolicy, ...]:
    return (
        HealingPolicy(cause="failed", least="failed", remedies=_remedies("fall_back", "roll_back", "freeze", "page")),
        HealingPolicy(cause="errors", remedies=_remedies("fall_back", "roll_back", "recycle_worker", "page")),
        HealingPolicy(cause="availability", remedies=_remedies("recycle_worker", "fall_back", "roll_back", "page")),
        HealingPolicy(cause="latency", least="warning", remedies=_remedies("shed", "recycle_worker", "page")),
        HealingPolicy(cause="resources/memory", least="warning", remedies=_remedies("recycle_worker", "page")),
        HealingPolicy(cause="resources/machine", least="warning", remedies=_remedies("shed", "page")),
        HealingPolicy(cause="resources/disk", remedies=_remedies("page")),
        # rows that break the contract are answered by the fallback chain one by one, whatever the policy says
        HealingPolicy(cause="data_quality", remedies=_remedies("quarantine", "page")),
        HealingPolicy(cause="upstream", least="warning", remedies=_remedies("fall_back", "quarantine", "page")),
        HealingPolicy(cause="drift", least="warning", remedies=_remedies("retrain")),
        HealingPolicy(cause="trend", least="warning", remedies=_remedies("retrain")),
        HealingPolicy(cause="quality", remedies=_remedies("retrain", "page")),
    )


class Healing(Record):
    policies: tuple[HealingPolicy, ...] = field(default_factory=default_policies)
    hold_s: Positive = 300.0  # a relief stays so long after its cause is gone; twice as long each time it comes back
    most_hold_s: Positive = 4 * 3600.0
    again_s: Positive = 3600.0  # a cause that is back within this is the same bout: what did not help is not repeated
    incidents_per_day: Annotated[int, Meta(ge=1)] = 3  # of one cause: the way back comes first
    longest_s: Positive = DAY_S  # a gateway that no controller visits takes a relief away by itself after this
