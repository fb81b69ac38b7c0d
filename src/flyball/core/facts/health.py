"""The facts of how well a service is, and of what its promises still allow."""

from typing import Literal

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
    left: float | None  # share of the budget; None: the objective is gone
    why: str


class BudgetBurning(Fact, tag="budget.burning"):
    """A budget is spent so fast that somebody should look: both windows say so, or errors pile up at little traffic."""

    objective: str
    urgency: Literal["page", "ticket"]
    rate: float  # multiple of what the budget allows, over the long window
    limit: float  # that it passed
    long_s: float
    short_s: float
    why: str
    low_traffic: bool = False  # by the number of errors, since a share of so few events says nothing

    @property
    def cause(self) -> str:
        """The fingerprint that its alerts share."""
        return f"budget/{self.objective}"


class BudgetCalm(Fact, tag="budget.calm"):
    """It is no longer."""

    objective: str
    why: str
