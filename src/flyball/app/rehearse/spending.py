"""While the error budget of an objective is spent nothing gets more traffic: asked of the ledger alone."""

from collections.abc import Iterator

from flyball.app.rehearse.invariants import Invariant
from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.routing import Routing
from flyball.core.service import Service

BY_CONTRACT = ("availability", "latency")


class NothingOnCredit(Invariant):
    """No rollout opens, no weight rises and nobody becomes champion through an order that was given meanwhile."""

    name = "error budget"

    def __init__(self, service: Service) -> None:
        slo = service.slo
        said = {each.name: each for each in slo.objectives} if slo is not None else {}
        names = {*said, *BY_CONTRACT} if slo is not None else set()
        self._binding = {name for name in names if slo is not None and _binds(name, said.get(name), slo.freeze)}
        self._spent: set[str] = set()
        self._routing: Routing | None = None

    def entry(self, entry: Entry) -> Iterator[str]:
        match entry.fact:
            case e.BudgetSpent(objective=name) if name in self._binding:
                self._spent.add(name)
            case e.BudgetRestored(objective=name):
                self._spent.discard(name)
            case e.RolloutOpened(rollout=rollout) if self._spent:
                yield f"rollout {rollout} was opened while the budget of {', '.join(sorted(self._spent))} is spent"
            case e.StepStarted(routing=routing) | e.RoutingOrdered(routing=routing):
                yield from self._ordered(routing, promotes=getattr(entry.fact, "kind", "") == "promote")
            case _:
                return

    def _ordered(self, routing: Routing, *, promotes: bool) -> Iterator[str]:
        before, self._routing = self._routing, routing
        if not self._spent:
            return
        had = {arm.name: arm.weight for arm in before.arms} if before is not None else {}
        more = routing.weight > (before.weight if before is not None else 0)
        if more or promotes or any(arm.weight > had.get(arm.name, 0) for arm in routing.arms):
            yield f"epoch {routing.epoch} gives more traffic while the budget of {min(self._spent)} is spent"


def _binds(name: str, said: object, freeze: bool) -> bool:
    own = getattr(said, "freeze", None)
    if own is not None:
        return bool(own)
    return freeze and getattr(said, "sli", name) != "quality"
