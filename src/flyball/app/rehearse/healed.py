"""What must never happen while a service is healed, asked after each step by code that shares nothing with the loop."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from flyball.app.rehearse.invariants import Invariant
from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.routing import Routing
from flyball.core.service import Service

DAY: Final = timedelta(days=1)
AT_ONCE: Final = ("fall_back", "roll_back", "shed", "recycle_worker", "freeze")
OF_SUPPLY: Final = ("upstream", "data_quality")


class Healed(Invariant):
    """One remedy in flight, none over its budget; a relief has its remedy and moves no weight; a broken supply trains
    nobody; what a person froze is left alone, but for the way back."""

    name = "healing"

    def __init__(self, service: Service) -> None:
        remedies = [one for policy in service.healing.policies for one in policy.remedies]
        self._budget: dict[str, int] = {}
        for one in remedies:
            self._budget[one.kind] = max(one.per_day, self._budget.get(one.kind, 0))
        self._flying: dict[str, str] = {}  # remedy -> kind
        self._begun: dict[str, list[datetime]] = defaultdict(list)  # by kind
        self._relieved = False  # a relief may stand
        self._routing: Routing | None = None
        self._broken: set[str] = set()  # open incidents of the supply
        self._frozen: str | None = None  # by whom

    def entry(self, entry: Entry) -> Iterator[str]:
        at, fact = datetime.fromisoformat(entry.at), entry.fact
        match fact:
            case e.RemedyBegun():
                yield from self._begins(at, fact)
            case e.RemedyVerified(remedy=name):
                if self._flying.pop(name, None) is None:
                    yield f"a verdict on {name}, which is not under way"
            case e.StepStarted(routing=routing) | e.RoutingOrdered(routing=routing):
                yield from self._routed(routing)
            case e.RetrainOrdered(proof="policy", ticket=ticket) if self._broken:
                yield f"{ticket} is trained while the supply is broken ({', '.join(sorted(self._broken))})"
            case e.IncidentOpened(kind=kind, incident=name) if kind in OF_SUPPLY:
                self._broken.add(name)
            case e.IncidentClosed(incident=name):
                self._broken.discard(name)
            case e.Frozen(by=by):
                self._frozen = by
            case e.Thawed(by=by):
                if by == "policy" and self._frozen != "policy":
                    yield f"the loop thawed what {self._frozen} froze"
                self._frozen = None
            case _:
                return

    def _begins(self, at: datetime, fact: e.RemedyBegun) -> Iterator[str]:
        quick = fact.kind in AT_ONCE
        if quick and (beside := [name for name, kind in self._flying.items() if kind in AT_ONCE]):
            yield f"{fact.remedy} ({fact.kind}) was begun beside {beside[0]}"
        if self._frozen not in (None, "policy") and fact.kind not in ("roll_back", "page"):
            yield f"{fact.remedy} ({fact.kind}) was begun though {self._frozen} froze the service"
        used = [when for when in self._begun[fact.kind] if at - when < DAY]
        if quick and len(used) >= self._budget.get(fact.kind, 3):
            yield f"{fact.kind} was begun {len(used) + 1} times in a day"
        self._begun[fact.kind] = [*used, at]
        self._flying[fact.remedy] = fact.kind
        self._relieved |= fact.kind in ("fall_back", "shed")

    def _routed(self, routing: Routing) -> Iterator[str]:
        before, self._routing = self._routing, routing
        if routing.relief is None:
            return
        if not self._relieved:
            yield f"epoch {routing.epoch} has a relief that no remedy ordered"
        if before is not None and routing.relief != before.relief and routing.weight > before.weight:
            yield f"epoch {routing.epoch} raises a weight with a relief"
