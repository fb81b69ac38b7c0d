"""Which rows that find no room at the champion the fallback chain catches, and which links may be asked.

Theory of operation. A champion may have no room for two reasons. It works as fast as it can, and more comes: then what
is spent on the others is taken from its own answers. Or it hangs, on something that is elsewhere or on itself: then
nothing is taken from anybody. Which it is shows in whether it answers: one that has rows and has answered none of them
for half the deadline *stalls*.

While it answers, only links that ask nobody (cached, rule, constant) catch rows, and no more than `PER_S` a second
besides a reserve, because each has to be read, checked and written down: some 80 us (reckoned) of the worker's one
interpreter. While it stalls there is no such bound, and `previous` is asked too, within the limit of its own. What is
not caught is turned away unread, as if there was no chain.
"""

from flyball.core.declared.serving import Serving
from flyball.core.routing import Routing
from flyball.serving.batch import Caught
from flyball.serving.resilience.fallback import PREVIOUS
from flyball.serving.resilience.limit import Class, Limit
from flyball.serving.resilience.overload import Overloads

PER_S, RESERVE = 500.0, 2_000.0  # rows of one worker whose champion answers: at most 4 % of its time, and 0.2 s once
ROOM: Class = "canary"  # as what rows that are caught come to another release: they never take its last places


class Catching:
    """Of one service in one worker. Times are monotonic seconds, handed in."""

    def __init__(self, serving: Serving, overloads: Overloads, *, links: bool) -> None:
        """`links`: whether the chain has any that asks nobody."""
        self._overloads = overloads
        self._links, self._asks = links, PREVIOUS in serving.fallback
        self._stalls_s = serving.deadline_ms / 2000.0
        self._left, self._at = RESERVE, 0.0
        self.answered = 0  # rows

    def room(self, release: str) -> bool:
        """Whether a release may be asked about a row that its own arm had no room for."""
        return self._overloads.limit(release).open_to(ROOM)

    def would(self, routing: Routing, now: float) -> bool:
        """Whether a row that finds no room at the champion now is caught."""
        if self._champion(routing).stalled(now, self._stalls_s):
            return self._links or self._previous(routing)
        return self._links and self._earned(now) >= 1.0

    def catch(self, routing: Routing, rows: int, now: float) -> Caught | None:
        """By whom so many rows are caught; None: they are turned away. One request may overdraw what has been earned;
        the next has to wait for it."""
        if not self.would(routing, now):
            return None
        if self._champion(routing).stalled(now, self._stalls_s):
            return "chain" if self._previous(routing) else "links"
        self._left, self._at = self._earned(now) - rows, now
        return "links"

    def canary(self, champion: str) -> Caught:
        """By whom rows are caught that the weight gave to a candidate without room: they have been read, so links cost
        nothing; the champion is asked where it is not under pressure itself."""
        return "chain" if self.room(champion) else "links"

    def _champion(self, routing: Routing) -> Limit:
        return self._overloads.limit(routing.champion)

    def _previous(self, routing: Routing) -> bool:
        previous = routing.previous
        return self._asks and previous not in (None, routing.champion) and self.room(previous or "")

    def _earned(self, now: float) -> float:
        return min(RESERVE, self._left + PER_S * max(0.0, now - self._at))
