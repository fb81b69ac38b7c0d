"""The `policy` of a service: what never happens, needs whom, or goes alone, and what people may let pass."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.record import Record

WEEK_S = 7 * 86_400.0


class Exceptions(Record):
    """Of the separate two-person exception for a failed gate."""

    longest_s: Annotated[float, Meta(gt=0, le=WEEK_S)] = 86_400.0  # from the request to the end


class Rule(Record, omit_defaults=True):
    """What does not happen, needs further people, or needs nobody, while its condition holds."""

    action: Literal["retrain", "rollout", "canary", "promote", "exception"]
    when: str  # CEL over the facts of `core.policy_facts`
    effect: Literal["never", "needs", "alone"]
    reason: str
    quorum: Annotated[int, Meta(ge=1)] | None = None  # needs: of how many different people, of the step's role


class Policy(Record):
    rules: tuple[Rule, ...] = ()
    approvals_per_day: Annotated[int, Meta(ge=0)] | None = None  # asked of people in any 24 hours; null: any number
    exceptions: Exceptions = field(default_factory=Exceptions)
