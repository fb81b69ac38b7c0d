"""When a service is trained again, how often at most, and how far it may go alone."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.declared.kinds import Count, Remedy, Seconds, Trigger
from flyball.core.pressure import PressureRule
from flyball.core.record import Record


class Budget(Record):
    """What the loop may spend alone in any seven days; a person's word is not bound by it."""

    runs_per_week: Annotated[int, Meta(ge=0)] | None = None
    tickets_per_week: Annotated[int, Meta(ge=0)] | None = None  # that ask a person
    epsilon_per_run: Annotated[float, Meta(gt=0)] | None = None  # of differential privacy, as the owner declares it
    epsilon_total: Annotated[float, Meta(gt=0)] | None = None  # over all trainings on the ledger, by plain addition
    cost_per_week: Annotated[float, Meta(ge=0)] | None = None  # in the unit of experiment.limits.cost_per_hour


class Retrain(Record):
    triggers: tuple[Trigger, ...] = ("drift", "risk", "trend")
    schedule: str | None = None  # five fields of cron, UTC; null: none
    new_data_rows: Annotated[int, Meta(ge=1)] | None = None  # newly labelled rows that ask; null: only a message does
    from_: Literal["captured", "source"] = field(default="captured", name="from")
    window_rows: Annotated[int, Meta(ge=1)] = 20_000
    min_new_rows: Count = 2_000
    cooldown_s: Seconds = 86_400.0
    bake_s: Seconds = 0.0  # beside the label window: a new champion's effect is not judged before
    rest_after: Annotated[int, Meta(ge=1)] = 2  # retrainings in a row without gain
    pressure: PressureRule | None = None  # null: drift and risk ask by their own rules
    budget: Budget = field(default_factory=Budget)


class Autonomy(Record):
    rollback: Literal["auto"] = "auto"
    retrain: Remedy = "suggest"  # the ceiling
    earned: bool = False  # whether it begins at suggest and has to be earned
    reviews: Annotated[int, Meta(ge=1)] = 5  # good outcomes for a rung
    promote: Literal["approval", "auto"] = "approval"
    first: Literal["auto", "approval"] = "auto"
