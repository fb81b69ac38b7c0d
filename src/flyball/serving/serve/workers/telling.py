"""What the supervisor of several workers tells of them all: their reports, its own counters, and those that ended."""

from collections.abc import Mapping, Sequence

import msgspec

from flyball.serving.counting.counter_file import Slot
from flyball.serving.counting.report import Past, Report, summed
from flyball.serving.serve.http.exposition import Budgets, Windows, exposition_of
from flyball.serving.serve.http.health_routes import Healths
from flyball.serving.serve.workers.over_workers import OverWorkers


class Telling:
    """Of one gateway. `bodies` and `slots`, by service, may be filled after this was made."""

    def __init__(
        self,
        bodies: Mapping[str, OverWorkers],
        slots: Mapping[str, Sequence[Slot]],
        windows: Windows,
        healths: Healths,
        budgets: Budgets,
    ) -> None:
        """`slots`: of one process alone, then of the workers by number. `windows`: the newest of a service.
        `healths`, `budgets`: how well it is, and what is left of its error budgets."""
        self._bodies, self._slots, self._past = bodies, slots, Past()
        self._windows, self._healths, self._budgets = windows, healths, budgets

    def ended(self, last: str) -> None:
        """A worker is no more; the text of its last report, empty where it told none."""
        if last:
            self._past.ended(msgspec.json.decode(last, type=Report))

    def sum_up(self, texts: Sequence[str]) -> str:
        """The report of the gateway, from those of its workers."""
        reports = [msgspec.json.decode(text, type=Report) for text in texts]
        filed = ((name, body.observe(), self._slots[name]) for name, body in self._bodies.items())
        owned = exposition_of(filed, self._windows, self._healths, self._budgets)
        return msgspec.json.encode(summed([self._past.report, *reports], owned)).decode()

    def ordered(self) -> bool:
        """Whether an order of any service is being prepared."""
        return any(body.preparing for body in self._bodies.values())

    def received(self, number: int) -> int:
        """Rows of all services that the worker of this number took, in all its lives."""
        return sum(slots[number + 1].count("received") for slots in self._slots.values())
