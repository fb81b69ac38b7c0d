"""The circuit breakers of all releases of a service, and what each call tells them.

Every worker has a breaker of its own for each release, because a process can hang in one worker alone. Where there are
several, a second one is shared by all (`shared_breaker`): a release that is sick everywhere is found by the calls of
all of them, opens for all, and is tried by one. While that one is not closed, it alone is asked and told.
"""

from collections.abc import Callable, Container

from flyball.core.declared.serving import Breaking
from flyball.core.prediction import ArmReply, Failure
from flyball.serving.resilience.breaker import Breaker, failed_call
from flyball.serving.resilience.shared_breaker import SharedBreaker
from flyball.serving.shelf import Shelf, tag_of

Part = tuple[str, bool]  # a release, and whether it serves the shadow
_PATIENT = 0.45  # of the deadline: a stand-in that is asked at half time has had its chance too


class Circuits:
    """Of one service in one worker. Times are monotonic seconds, handed in, of one clock for all workers."""

    def __init__(self, declared: Breaking, *, deadline_s: float, shelf: Shelf | None = None) -> None:
        """`shelf`: of all workers, `breaker.NUMBERS` numbers a record; None: there is only this one."""
        self._declared, self._deadline_s = declared, deadline_s
        self._shelf = shelf
        self._breakers: dict[Part, Breaker] = {}
        self._ours: dict[Part, SharedBreaker] = {}
        self._answered: dict[Part, float] = {}  # when the last answer in time came

    def begin(self, part: Part, seconds: float, now: float) -> Callable[[ArmReply | Failure, float], None] | None:
        """To be told the reply, or LATE, and when; None: the circuit is open, nobody is asked."""
        asked = self._asked(part)
        if not asked[0].allows(now):
            return None
        breakers = [(breaker, breaker.opened) for breaker in asked]
        patient = seconds >= _PATIENT * self._deadline_s

        def told(reply: ArmReply | Failure, at: float) -> None:
            alive = self._answered.get(part, float("-inf")) > now
            failed = failed_call(reply, alive=alive, patient=patient)
            if failed is False:
                self._answered[part] = at
            for breaker, opened in breakers:
                if breaker.opened != opened:
                    continue
                if failed is None:
                    breaker.released()
                else:
                    breaker.told(failed, at)

        return told

    def keep(self, parts: Container[Part]) -> None:
        """Forget releases that are no longer there."""
        for known in (self._breakers, self._ours, self._answered):
            for part in [part for part in known if part not in parts]:
                del known[part]

    def open_parts(self) -> list[Part]:
        """Whose circuit is not closed."""
        return [part for part, breaker in self._breakers.items() if breaker.state != "closed" or self._is_open(part)]

    def _asked(self, part: Part) -> "tuple[Breaker | SharedBreaker, ...]":
        """Whose word counts, then who is told as well."""
        mine = self._breakers.get(part)
        if mine is None:
            mine = self._breakers[part] = Breaker(self._declared, probe_s=self._deadline_s)
        if self._shelf is None:
            return (mine,)
        ours = self._ours.get(part)
        if ours is None:
            tag = tag_of(*part)
            ours = self._ours[part] = SharedBreaker(self._declared, self._shelf, tag, probe_s=self._deadline_s)
        if ours.state == "closed":
            return mine, ours
        self._breakers[part] = Breaker(self._declared, probe_s=self._deadline_s)  # begins anew when ours has closed
        return (ours,)

    def _is_open(self, part: Part) -> bool:
        ours = self._ours.get(part)
        return ours is not None and ours.state != "closed"
