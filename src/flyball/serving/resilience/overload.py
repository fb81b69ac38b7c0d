"""Who is turned away when there is more work than the releases can do, and what the client is told.

Shed first is the shadow, then the canary, then requests of low priority, then live ones. Each release has a limit of
its own (`limit.py`), so that rows which hang in a candidate take no room from the champion; the champion's decides for
the lower classes, because they burn the same processors.

A request that is turned away while a live one would have passed is answered 429 (your class is above its share), one
that nobody would have got through 503. Both say when to come back: the longer, the more is turned away.
"""

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Literal

from flyball.core.declared.serving import Overload
from flyball.core.prediction import ArmReply, Failure
from flyball.serving.resilience.limit import Class, Limit

Refusal = Literal["overload", "priority", "deadline"]  # 503, 429, 504
MOST_RETRY_S = 30
_RELEASES = 32  # limits that are kept; a service has three releases at a time, in an A/B test up to eighteen
_RATE_S = 1.0


def waited(reply: ArmReply | Failure, took_s: float) -> float | None:
    """What a reply says of the queue: its time less the release's own, seconds. None: nothing.

    >>> waited(ArmReply(answers=(), service_ms=500.0), 0.75), waited(Failure(reason="deadline"), 1.0)
    (0.25, 1.0)
    >>> waited(Failure(reason="dead"), 0.0)
    """
    if isinstance(reply, ArmReply):
        return max(0.0, took_s - reply.service_ms / 1000.0)
    return took_s if reply.reason == "deadline" else None


class Overloads:
    """Of one service in one worker. Times are monotonic seconds, handed in."""

    def __init__(self, declared: Overload, *, deadline_s: float) -> None:
        self._target_s = deadline_s / 10.0 if declared.queue_ms is None else declared.queue_ms / 1000.0
        self._most = declared.max_in_flight
        self._default: Class = declared.priority
        self._limits: OrderedDict[str, Limit] = OrderedDict()  # the least recently used first
        self._since, self._offered, self._turned_away, self._excess = 0.0, 0, 0, 0.0
        self.shed: dict[str, int] = {"shadow": 0, "canary": 0, "low": 0, "live": 0}  # rows, by class

    def limit(self, release: str) -> Limit:
        """The limit of a release, made at first use."""
        found = self._limits.get(release)
        if found is not None:
            self._limits.move_to_end(release)  # the champion that outlives its candidates keeps what it has found
        else:
            found = self._limits[release] = Limit(target_s=self._target_s, most=self._most)
            if len(self._limits) > _RELEASES:
                idle = next((name for name, other in self._limits.items() if not other.in_flight), release)
                if idle != release:
                    del self._limits[idle]
        return found

    def refusal(
        self,
        champion: str,
        priority: Class | None,
        rows: int,
        now: float,
        relieving: Callable[[], bool] | None = None,
    ) -> Refusal | None:
        """Why a request is turned away whole; None: it may begin. `relieving`: whether one of low priority is turned
        away although there is room, as a relief orders."""
        rank = priority or self._default
        limit = self.limit(champion)
        self._count(rows, now)
        if rank == "low" and limit.open_to(rank) and relieving is not None and relieving():
            self._turn_away(rank, rows)
            return "priority"
        if limit.open_to(rank):
            return None
        self._turn_away(rank, rows)
        return "priority" if limit.open_to("live") else "overload"

    @property
    def turning_away(self) -> bool:
        """Whether somebody was turned away in this second, or in the last one in which anybody came."""
        return self._turned_away > 0

    def full(self, champion: str) -> bool:
        """Whether requests that do not say how important they are are turned away now."""
        return not self.limit(champion).open_to(self._default)

    def refuses_canary(self, champion: str, candidate: str, rows: int) -> bool:
        """Rows of the candidate: is the champion under pressure, or the candidate itself full?"""
        if self.limit(champion).open_to("canary") and self.limit(candidate).open_to("live"):
            return False
        self._turn_away("canary", rows)
        return True

    def refuses_shadow(self, champion: str, rows: int) -> bool:
        """Rows to be mirrored, while the champion is under pressure."""
        if self.limit(champion).open_to("shadow"):
            return False
        self.shed["shadow"] += rows
        return True

    @property
    def retry_after_s(self) -> int:
        """Whole seconds, 1 to 30: as many times longer as more was offered than admitted in the last second."""
        return self._excess_s(max(self._excess, self._ratio()))

    def _count(self, rows: int, now: float) -> None:
        if now - self._since >= _RATE_S:
            self._excess = self._ratio()
            self._since, self._offered, self._turned_away = now, 0, 0
        self._offered += rows

    def _turn_away(self, rank: Class, rows: int) -> None:
        self.shed[rank] += rows
        self._turned_away += rows

    def _ratio(self) -> float:
        """Offered over admitted."""
        return self._offered / max(1, self._offered - self._turned_away)

    @staticmethod
    def _excess_s(ratio: float) -> int:
        return max(1, min(MOST_RETRY_S, ceil(ratio)))
