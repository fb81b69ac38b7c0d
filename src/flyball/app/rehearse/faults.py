"""Which faults a rehearsal knows: the point where one happens, its kind, and how long it lasts. Pure.

A point is a port, seen from one controller, or a thing of the world. A fault without a duration happens once, to the
first call of its point at or after its time; one with a duration happens to every call within it.
"""

from collections.abc import Sequence
from typing import Final

from flyball.core.record import Record

ONCE: Final = 0.0
SHORT_S: Final = 60.0
LONG_S: Final = 600.0
DAY_S: Final = 86_400.0

_CALL: Final = {
    "crash_before": ONCE,  # the controller dies before the call has any effect
    "crash_after": ONCE,  # ... when the effect is there, and nobody has heard of it
    "pause": ONCE,  # it stands still before the call, SIGSTOP, while another controller takes over; then it goes on
    "dead": LONG_S,  # nobody answers
    "slow": LONG_S,  # every call takes `SLOW_CALL_S`
}
_WIRE: Final = {
    "lost": ONCE,  # the order does not arrive
    "lost_answer": ONCE,  # it does, and its answer does not
    "duplicated": ONCE,  # it arrives twice
    "reordered": ONCE,  # it arrives again, behind the order after it
}
# point -> kind -> how long it lasts, seconds; ONCE: one call, or one moment
POINTS: Final[dict[str, dict[str, float]]] = {
    "ledger.append": {**_CALL, "disk_full": LONG_S},
    "ledger.claim": _CALL,
    "gateway.apply": {**_CALL, **_WIRE},
    "gateway.observe": _CALL,
    "learner.learn": {**_CALL, "lost": ONCE, "duplicated": ONCE},
    "telemetry.sealed": _CALL,
    "controller": {"crash": ONCE, "second": DAY_S},  # `second`: another one runs beside it
    "gateway": {"crash": ONCE, "dead": LONG_S, "disk_full": LONG_S},
    "clock": {"forward": ONCE, "back": ONCE},  # the wall clock is corrected by `JUMP_S`
    "traffic": {"burst": LONG_S, "errors": LONG_S},  # `errors`: both arms fail, whoever causes it
    "champion": {"errors": DAY_S},  # of the release that serves then: it, and no other, fails again and again
    "labels": {"outage": DAY_S / 2, "duplicated": DAY_S / 2},
    "data": {"poisoned": 4 * 3600.0},  # a required value is missing in some rows
}
_NEEDED: Final = ("ledger.append", "ledger.claim", "gateway.apply", "gateway.observe", "telemetry.sealed", "gateway")
SLOW_CALL_S: Final = 2.0
JUMP_S: Final = 3600.0
BURST: Final = 10.0  # times the usual traffic
COMMON_CAUSE: Final = 20.0  # times the usual error rate, of every release
SICK: Final = 100.0  # times the usual error rate, of one release
POISONED: Final = 0.3  # share of the rows
RESTART_S: Final = 5.0  # until a process that died is there again


class FaultAt(Record):
    """One fault of a scenario."""

    at: float  # seconds since the beginning; in files also `36h`
    point: str
    kind: str


def lasts_s(fault: FaultAt) -> float:
    """How long it lasts, seconds; 0: one call or one moment.

    >>> lasts_s(FaultAt(at=0, point="gateway.apply", kind="dead")), lasts_s(FaultAt(at=0, point="clock", kind="back"))
    (600.0, 0.0)
    """
    return POINTS[fault.point][fault.kind]


class Schedule:
    """The faults of one run, and which of those that happen once have happened."""

    def __init__(self, faults: Sequence[FaultAt]) -> None:
        self._by_point: dict[str, list[FaultAt]] = {}
        for fault in sorted(faults, key=lambda each: each.at):
            self._by_point.setdefault(fault.point, []).append(fault)
        self.times = tuple(sorted({at for each in faults for at in (each.at, each.at + lasts_s(each))}))
        self.met = 0  # faults that have happened

    def lasting(self, point: str, now_s: float) -> frozenset[str]:
        """Kinds that hold at a point now, seconds since the beginning."""
        return frozenset(
            each.kind
            for each in self._by_point.get(point, ())
            if lasts_s(each) and 0 <= now_s - each.at < lasts_s(each)
        )

    def calm_s(self, now_s: float) -> float:
        """For how long nothing is broken that would keep an order from its gateway, or a controller from its ledger.

        >>> Schedule([FaultAt(at=10, point="gateway", kind="dead")]).calm_s(700)
        90.0
        """
        needed = [each for point in _NEEDED for each in self._by_point.get(point, ())]
        ends = [each.at + lasts_s(each) for each in needed if each.at <= now_s]
        return max(0.0, now_s - max(ends, default=0.0))

    def strike(self, point: str, now_s: float) -> str | None:
        """The kind that happens to this call; None: none. It will not happen again.

        >>> schedule = Schedule([FaultAt(at=10, point="gateway", kind="crash")])
        >>> schedule.strike("gateway", 9), schedule.strike("gateway", 12), schedule.strike("gateway", 13)
        (None, 'crash', None)
        """
        waiting = self._by_point.get(point, [])
        for fault in waiting:
            if fault.at > now_s:
                break
            if not lasts_s(fault):
                waiting.remove(fault)
                self.met += 1
                return fault.kind
        return None
