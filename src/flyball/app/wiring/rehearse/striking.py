"""Where faults strike: each call of a controller to one of its ports goes through `Points.call`.

Calls that write or act (`EFFECTS`) are numbered, so that a run can be repeated with a crash at each of them.
"""

from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from flyball.app.rehearse.faults import SLOW_CALL_S, Schedule
from flyball.core.errors import Unavailable

T = TypeVar("T")
PAUSE_S = 60.0  # SIGSTOP to SIGCONT: longer than a lease and a claim
EFFECTS = frozenset({"ledger.append", "gateway.apply", "learner.learn"})
Side = Literal["before", "after"]


class Crashed(BaseException):
    """The controller's process is gone. No `except Exception` of the program under test may keep it alive."""


class Meanwhile(Protocol):
    """The world goes on for so many seconds without the controller that called. `stand_in`: another one takes over."""

    def __call__(self, seconds: float, *, stand_in: bool) -> None: ...


class Points:
    """The faults that controllers meet. `crash_at`: they also die at the n-th effect of all, counted from 1."""

    def __init__(
        self,
        schedule: Schedule,
        now_s: Callable[[], float],
        meanwhile: Meanwhile,
        *,
        crash_at: tuple[int, Side] | None = None,
    ) -> None:
        self._schedule, self._now_s, self._meanwhile, self._crash_at = schedule, now_s, meanwhile, crash_at
        self.effects: list[str] = []  # points that were called, in order

    def call(self, point: str, act: Callable[[], T], other: Callable[[str], None] = lambda _: None) -> T:
        """Do it, unless something happens to it. `other`: does what a kind of this point alone means.

        Raises: Crashed. Unavailable: nobody answers. Whatever `act` and `other` raise.
        """
        number = self._number(point)
        if number is not None and self._crash_at == (number, "before"):
            raise Crashed(f"before effect {number}, {point}")
        now_s = self._now_s()
        lasting = self._schedule.lasting(point, now_s)
        if lasting & {"dead", "disk_full"}:
            raise Unavailable(f"{point}: {'the disk is full' if 'disk_full' in lasting else 'nobody answers'}")
        if "slow" in lasting:
            self._meanwhile(SLOW_CALL_S, stand_in=False)
        kind = self._schedule.strike(point, now_s)
        if kind == "crash_before":
            raise Crashed(f"before {point}")
        if kind == "pause":
            self._meanwhile(PAUSE_S, stand_in=True)
        elif kind is not None and kind != "crash_after":
            other(kind)
        found = act()
        if kind == "crash_after" or (number is not None and self._crash_at == (number, "after")):
            raise Crashed(f"after {point}")
        return found

    def _number(self, point: str) -> int | None:
        if point not in EFFECTS:
            return None
        self.effects.append(point)
        return len(self.effects)
