"""The facts of a service by their kind, so that the newest one that shows a thing is found, with its age."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ledger import Entry
from flyball.core.record import Record

DAY_S = 86_400.0
QUARTER_S = 92 * DAY_S  # no quarter is longer
F = TypeVar("F", bound=e.Fact)


class Shown(Record):
    """A fact that shows something."""

    seq: int
    at: str  # RFC 3339, UTC
    age_s: float


class Seen:
    """All facts of one service up to a moment, in their order."""

    def __init__(self, entries: Iterable[Entry], now: str) -> None:
        self.now = now
        self._of: defaultdict[type[e.Fact], list[Entry]] = defaultdict(list)
        for entry in entries:
            self._of[type(entry.fact)].append(entry)

    def all(self, of: type[F], where: Callable[[F], bool] = lambda _: True) -> list[tuple[F, Shown]]:
        """Every fact of a kind that fits, oldest first."""
        found: list[tuple[Any, Entry]] = [(entry.fact, entry) for entry in self._of[of]]
        return [(fact, self._shown(entry)) for fact, entry in found if where(fact)]

    def newest(self, of: type[F], where: Callable[[F], bool] = lambda _: True) -> tuple[F, Shown] | None:
        """The newest fact of a kind that fits."""
        found = self.all(of, where)
        return found[-1] if found else None

    def _shown(self, entry: Entry) -> Shown:
        age_s = max(0.0, (moment(self.now) - moment(entry.at)).total_seconds())
        return Shown(seq=entry.seq, at=entry.at, age_s=age_s)
