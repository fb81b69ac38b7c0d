"""Where the error budgets of a service stand, as its controller saw them last."""

from flyball.core.declared.objectives import Events, Objective, Urgency
from flyball.core.record import Record


class Burn(Record):
    """How fast a budget is spent over one window."""

    window_s: float
    events: Events
    rate: float | None  # multiple of what the budget allows; None: no events in the window


class Burning(Record):
    """A burn rate over its limit in a long and a short window, or too many errors where there is little traffic."""

    urgency: Urgency
    rate: float  # over the long window
    limit: float  # burn rate that it passed, as capped
    long_s: float
    short_s: float
    why: str
    low_traffic: bool = False


class BudgetStanding(Record):
    """One objective. What nobody can measure is None, with the reason."""

    objective: Objective
    events: Events = Events()  # of its window
    left: float | None = None  # share of the budget; below 0: more than all of it is spent
    unknown: str = ""  # why `left` is None
    burns: tuple[Burn, ...] = ()
    burning: Burning | None = None
    exhausted_in_s: float | None = None  # at the burn rate of six hours; None: never, or nobody knows
    since: float | None = None  # start of the oldest events counted, seconds since the epoch
    counted: Events = Events()  # ever
    early_s: float = 0.0  # seconds until its events reach back far enough for it to be spent; 0: they do

    @property
    def sli(self) -> float | None:
        """Share of good events in the window."""
        return self.events.good / self.events.total if self.events.total > 0 else None


class BudgetsState(Record):
    """What a controller wrote down of a service."""

    service: str
    as_of: float  # the minute asked about, or the end of a newer pane; seconds since the epoch
    declared: bool  # whether the service has a policy for its budgets: without one nothing follows
    budgets: tuple[BudgetStanding, ...] = ()
