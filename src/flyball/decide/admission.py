"""May the loop train now, alone? What it has spent in the last seven days, against the declared budget. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flyball.core.clock import moment
from flyball.core.record import Record
from flyball.core.service import Budget

WEEK = timedelta(days=7)


class Spent(Record):
    """What trainings took: moments at which the loop ordered one, and costs of runs that ended, whoever asked."""

    orders: tuple[str, ...] = ()  # RFC 3339, in order
    costs: tuple[tuple[str, float], ...] = ()
    questions: tuple[str, ...] = ()  # moments at which a ticket opened that asks a person
    trainings: int = 0  # that ever began, whoever asked: privacy does not come back

    def since(self, at: str) -> "Spent":
        """Without what is older than seven days."""
        first = moment(at) - WEEK
        return Spent(
            orders=tuple(one for one in self.orders if moment(one) > first),
            costs=tuple((one, cost) for one, cost in self.costs if moment(one) > first),
            questions=tuple(one for one in self.questions if moment(one) > first),
            trainings=self.trainings,
        )


def over_budget(budget: Budget, spent: Spent, now: datetime) -> tuple[str, ...]:
    """What has to pass before the loop may train again; empty where it may.

    >>> from datetime import UTC
    >>> spent = Spent(orders=("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"))
    >>> over_budget(Budget(runs_per_week=2), spent, datetime(2026, 11, 25, tzinfo=UTC))
    ('the budget: 2 of 2 retrainings in seven days, free again 2026-11-30 00:00 UTC',)
    """
    recent = spent.since(now.isoformat())
    found = []
    most = budget.runs_per_week
    if most is not None and len(recent.orders) >= most:
        free = _free(recent.orders[-most:] if most else ())
        found.append(f"the budget: {len(recent.orders)} of {most} retrainings in seven days{free}")
    total = sum(cost for _, cost in recent.costs)
    if budget.cost_per_week is not None and total >= budget.cost_per_week:
        found.append(f"the budget: trainings of seven days cost {total:.4g} of {budget.cost_per_week:g}")
    return (*found, *_privacy(budget, spent.trainings))


def too_many_questions(budget: Budget, spent: Spent, now: datetime) -> tuple[str, ...]:
    """Why no further ticket may ask a person now; what would ask waits, and asks as one.

    >>> from datetime import UTC
    >>> spent = Spent(questions=("2026-11-24T00:00:00Z",))
    >>> too_many_questions(Budget(tickets_per_week=1), spent, datetime(2026, 11, 25, tzinfo=UTC))
    ('the attention of people: 1 of 1 tickets in seven days asked one, free again 2026-12-01 00:00 UTC',)
    """
    most, asked = budget.tickets_per_week, spent.since(now.isoformat()).questions
    if most is None or len(asked) < most:
        return ()
    free = _free(asked[-most:] if most else ())
    return (f"the attention of people: {len(asked)} of {most} tickets in seven days asked one{free}",)


def _privacy(budget: Budget, trainings: int) -> tuple[str, ...]:
    """Basic composition: epsilons add up. One more training must still fit."""
    each, most = budget.epsilon_per_run, budget.epsilon_total
    if each is None or most is None or (trainings + 1) * each <= most * (1 + 1e-9):
        return ()
    return (f"the budget of privacy: {trainings} trainings spent epsilon {trainings * each:.4g} of {most:g}",)


def _free(orders: Sequence[str]) -> str:
    """When the oldest of the orders that fill the budget is a week old."""
    return f", free again {moment(orders[0]) + WEEK:%Y-%m-%d %H:%M} UTC" if orders else ""
