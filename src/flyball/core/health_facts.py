"""The facts of how well a service is, and of what its promises still allow."""

from flyball.core.fact import Fact
from flyball.core.health import Health, HealthState


class HealthChanged(Fact, tag="health.changed"):
    """The state, or the signs that make it, are others than before."""

    health: Health
    previous: HealthState = "UNKNOWN"


class BudgetSpent(Fact, tag="budget.spent"):
    """Nothing is left of an objective's error budget: promotions stand still, the way back does not."""

    objective: str
    left: float  # share of the budget, below 0 where more than all of it is spent
    target: float  # of good events, 0..1
    window_s: float
    why: str


class BudgetRestored(Fact, tag="budget.restored"):
    """There is some of it again."""

    objective: str
    left: float
    why: str
