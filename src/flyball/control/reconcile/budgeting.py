"""The error budgets of one service on the loop's way through its panes: counted once a pane, told when it changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from flyball.control.state.health_state import HealthStanding
from flyball.core import events as e
from flyball.core.budget_standing import BudgetsState, BudgetStanding
from flyball.core.clock import moment
from flyball.core.declared.objectives import Events
from flyball.core.ports import Segment
from flyball.core.promised import objectives_of
from flyball.core.release import Estimate
from flyball.core.service import Service
from flyball.core.watching import WindowReport
from flyball.decide.objectives.budgets import Budgets
from flyball.decide.objectives.telling import budget_facts
from flyball.monitor.risk import margin
from flyball.monitor.slis import events_of, judged

ASKED_S = 60.0  # without a new pane the budgets are asked this often
AHEAD_S = 180.0  # a pane that ends later than the clock shows by more than this came of a clock that was put back


class Budgeting:
    """Feeding all segments again gives the same. It holds values only, so a checkpoint can keep it."""

    _asked: float | None = None  # the minute that the loop asked about last, seconds since the epoch

    def __init__(self, service: Service) -> None:
        self._service, self._declared = service.metadata.name, service.slo is not None
        self._timestamp, self._live = service.data.timestamp, service.monitor.live_metric
        self._objectives = objectives_of(service)
        self._budgets = Budgets(self._objectives, service.slo)
        self._now: float | None = None  # end of the newest pane, seconds since the epoch
        self._standing: tuple[BudgetStanding, ...] | None = None  # as of then; None: to be asked for
        self._told: tuple[HealthStanding, float, tuple[e.AnyFact, ...]] | None = None

    def take(self, segment: Segment, reports: Sequence[WindowReport], promised: Mapping[str, Estimate]) -> None:
        """A pane more, and the windows that it completed. Args: promised: metrics of the champion on its holdout."""
        at = segment.pane.end  # a pane may be longer than the shortest window, and is news all the same
        counted = events_of(segment.as_it_came, self._objectives, self._timestamp)
        for report in reports:
            for name, events in self._judged(report, promised).items():
                counted[name] = counted.get(name, Events()) + events
        self._budgets.take(at, counted)
        self._now, self._standing, self._told = max(self._now or 0.0, at), None, None  # one may come late

    def _judged(self, report: WindowReport, promised: Mapping[str, Estimate]) -> dict[str, Events]:
        if self._live is None or self._live.name not in promised:
            return {}
        events = judged(report, margin(self._live.max_loss, promised[self._live.name].value))
        return {each.name: events for each in self._objectives if each.sli == "quality"}

    @property
    def as_of(self) -> float | None:
        """The moment that figures and facts speak of: the minute asked about, or a newer pane's end; None: no pane."""
        return None if self._now is None else max(self._now, self._asked or 0.0)

    def state(self) -> BudgetsState | None:
        """As of that moment; None: there was no pane."""
        as_of = self.as_of
        if as_of is None:
            return None
        if self._standing is None:
            self._standing = self._budgets.standing(as_of)
        return BudgetsState(service=self._service, as_of=as_of, declared=self._declared, budgets=self._standing)

    def __getstate__(self) -> dict[str, Any]:
        """What can be asked for again is not kept."""
        return vars(self) | {"_standing": None, "_told": None, "_asked": None}

    def facts(self, health: HealthStanding, now: str) -> tuple[e.AnyFact, ...]:
        """What the ledger does not know yet. The loop looks several times a second, and mostly nothing has changed.

        Time goes on where traffic does not: without a new pane it is asked again each minute.
        """
        at = moment(now).timestamp() // ASKED_S * ASKED_S
        if self._now is not None and at < (self.as_of or 0.0) - AHEAD_S:
            self._budgets.put_back(at)
            self._now, self._asked, self._standing = at, None, None
        if self._now is not None and at > (self.as_of or 0.0):
            self._asked, self._standing = at, None
        if not self._declared and not health.spent and not health.burning:
            return ()
        if self._told is not None and self._told[0] is health and self._told[1] == at:
            return self._told[2]
        found = self.state()
        if found is None and self._declared:
            return ()  # nothing was seen yet: nothing of it is over
        budgets = found.budgets if found is not None else ()
        facts = budget_facts(
            self._service, budgets, declared=self._declared, spent=health.spent, burning=health.burning
        )
        self._told = health, at, facts
        return facts
