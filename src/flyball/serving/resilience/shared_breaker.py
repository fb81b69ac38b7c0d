"""One circuit breaker of one release for all workers: the same state machine, its numbers on a shelf that they share.

What the calls of all workers say is counted together, so it opens for all at the same moment; and since a probe is part
of its state, one call of one worker tries while it is half open. Each step is what one breaker would have done in the
order in which the workers came.
"""

from flyball.core.declared.serving import Breaking
from flyball.serving.resilience.breaker import CALLS, CLOSED, OPENED, STATE, STATES, WINDOW, Breaker, State, window_of
from flyball.serving.shelf import Shelf

SETS = 8  # of eight releases each


class SharedBreaker:
    """`breaker.Breaker` with its numbers elsewhere; all times of one clock."""

    def __init__(self, declared: Breaking, shelf: Shelf, tag: int, *, probe_s: float) -> None:
        """`shelf`: of `NUMBERS` numbers. `tag`: of the service and the release."""
        self._shelf, self._tag = shelf, tag
        self._breaker = Breaker(declared, probe_s=probe_s)

    @property
    def state(self) -> State:
        """As it is now, for all."""
        numbers = self._shelf.glance(self._tag)
        return "closed" if numbers is None else STATES[int(numbers[STATE])]

    @property
    def opened(self) -> int:
        """Times."""
        numbers = self._shelf.glance(self._tag)
        return 0 if numbers is None else int(numbers[OPENED])

    def allows(self, now: float) -> bool:
        if self.state == "closed":
            return True
        with self._shelf.record(self._tag, now) as numbers:
            self._breaker.know(numbers)
            allowed = self._breaker.allows(now)
            _write(numbers, self._breaker)
        return allowed

    def told(self, failed: bool, now: float) -> None:
        with self._shelf.record(self._tag, now) as numbers:
            if not failed and numbers[STATE] == CLOSED and numbers[WINDOW] == window_of(now):
                numbers[CALLS] += 1  # as `Breaker` would, for most calls
                return
            self._breaker.know(numbers)
            self._breaker.told(failed, now)
            _write(numbers, self._breaker)

    def released(self) -> None:
        if self.state != "half_open":
            return  # nobody probes
        with self._shelf.hold(self._tag):
            numbers = self._shelf.glance(self._tag)
            if numbers is not None:
                self._breaker.know(numbers)
                self._breaker.released()
                _write(numbers, self._breaker)


def _write(numbers: "memoryview[float]", breaker: Breaker) -> None:
    for place, number in enumerate(breaker.numbers()):
        numbers[place] = number
