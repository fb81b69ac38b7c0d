"""Whether the steps of a rollout can answer in their time, as far as the ledger keeps it."""

from typing import Literal

from flyball.core.record import Record

Power = Literal["POWERED", "UNDERPOWERED", "UNKNOWN"]


class WeakStep(Record):
    """A step that cannot answer before its time is up."""

    step: str  # its name: `core.step_names`
    reasons: tuple[str, ...]
    waived: str = ""  # who accepts that, and why; empty: nobody


class RolloutPower(Record):
    """What was foretold of a rollout when it opened, or keeps it from opening."""

    verdict: Power  # of the steps that are not waived: the worst
    traffic: str  # that it was foretold for, in words
    steps: tuple[WeakStep, ...] = ()
