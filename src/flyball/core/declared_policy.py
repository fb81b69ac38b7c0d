"""The `policy` of a service: what people may let pass, and for how long."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.record import Record

WEEK_S = 7 * 86_400.0


class Exceptions(Record):
    """Of the separate two-person exception for a failed gate."""

    longest_s: Annotated[float, Meta(gt=0, le=WEEK_S)] = 86_400.0  # from the request to the end


class Rule(Record):
    """What never happens by itself while its condition holds."""

    action: Literal["rollout", "promote"]
    when: str  # CEL over the facts of `core.policy_facts`
    effect: Literal["never"]
    reason: str


class Policy(Record):
    rules: tuple[Rule, ...] = ()
    exceptions: Exceptions = field(default_factory=Exceptions)
