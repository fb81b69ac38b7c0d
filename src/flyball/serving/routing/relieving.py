"""The relief of a table, as one worker goes by it: what is done for a time so that clients fare better.

With a fallback the champion is not asked: the chain of `serving.fallback` answers its rows, marked, and they stay the
champion's rows, which say nothing of it. With a shed a share of the requests of low priority is turned away, evenly and
without dice. Both end with the table, and by themselves at `until`: a gateway whose controller is gone does not stay in
a fallback for ever. Pure.
"""

from collections.abc import Sequence

from flyball.core.clock import moment
from flyball.core.routing import Relief, Routing


class Relieving:
    """Of one table. Where it has no relief, one comparison a batch."""

    def __init__(self) -> None:
        self._relief: Relief | None = None
        self._until = 0.0  # seconds since the epoch
        self._due = 0.0  # of the next request of low priority: the part that is turned away so far

    def order(self, routing: Routing) -> None:
        self._relief = routing.relief
        self._until = moment(routing.relief.until).timestamp() if routing.relief and routing.relief.until else 0.0

    def at(self, at: Sequence[float]) -> Relief | None:
        """What holds for rows that arrive then, seconds since the epoch; None: nothing."""
        relief = self._relief
        if relief is None or not at or (self._until and at[0] >= self._until):
            return None
        return relief

    def turns_away(self, at: float) -> bool:
        """Whether the next request of low priority is turned away.

        >>> from flyball.core.ids import ReleaseRoot, ServiceName
        >>> relieving = Relieving()
        >>> relieving.order(Routing(service=ServiceName("s"), epoch=1, champion=ReleaseRoot("a"),
        ...                         relief_=Relief(shed=0.5)))
        >>> [relieving.turns_away(0.0) for _ in range(4)]
        [False, True, False, True]
        """
        relief = self.at((at,))
        if relief is None or not relief.shed:
            return False
        self._due += relief.shed
        if self._due < 1.0:
            return False
        self._due -= 1.0
        return True
