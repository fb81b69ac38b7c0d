"""The `review` section of a service: what is written up and when, and what the figures of a scorecard are held to."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.declared.kinds import Positive, Seconds, Share
from flyball.core.record import Record

Period = Literal["weekly", "monthly", "quarterly"]
PERIODS: tuple[Period, ...] = ("weekly", "monthly", "quarterly")


class Targets(Record):
    """Where the issue of a figure has no better source, that of the DORA reports for high performers."""

    availability: Share = 0.9995  # of the rows that clients asked for
    incidents_per_month: Annotated[float, Meta(ge=0)] = 1.0  # of data health
    detect_s: Positive = 300.0  # mean, from the beginning of an incident to its opening
    recover_s: Positive = 900.0  # mean, from there until it was over
    checked_share: Share = 1.0  # of the deployments: through a shadow, a canary or a soak
    automated_share: Share = 0.8  # of the remedies
    lead_time_s: Positive = 7 * 86_400.0  # median, from the experiment or the commit to the champion's place
    deployments_per_week: Annotated[float, Meta(ge=0)] = 0.23  # one a month
    pipeline_success: Share = 0.95  # of the runs: to their end, without a hand
    change_failure_share: Share = 0.15
    reproducible_share: Share = 0.95
    cost_per_prediction: Positive | None = None  # in the unit of the costs; null: none


class Review(Record):
    digests: tuple[Period, ...] = ()  # that the controller writes by itself
    digest_grace_s: Seconds = 86_400.0  # after the period's end, before a digest that is not there is overdue
    backup_every_s: Positive | None = None  # the home is laid aside at least so often; null: nobody waits for it
    pages_per_week: Annotated[int, Meta(ge=0)] = 5  # that a person on call may get
    serving_cost_per_hour: Annotated[float, Meta(ge=0)] | None = None  # in the unit of experiment.limits.cost_per_hour
    targets: Targets = field(default_factory=Targets)
