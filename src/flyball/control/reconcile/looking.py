"""What a plan is made from: the facts, the gateway's word, the sensor's, and what the judge makes of a running step.

A gateway that does not answer is a state of the world. A sensor or a judge that raises is a fault of ours: what it
would have said is unknown, which is neither well nor over, and the round goes on without it (`control/failing.py`).
"""

from functools import partial
from typing import Protocol

from msgspec.structs import replace

from flyball.control.decision import Outlook, Situation, elapsed_s
from flyball.control.failing import Asking
from flyball.control.failure import JUDGE, MONITOR, failure
from flyball.control.reconcile.foretelling import Foretelling
from flyball.control.reconcile.outlook import Seen, of_step
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import Unavailable
from flyball.core.health import Health
from flyball.core.ports import Gateways
from flyball.core.routing import Observed
from flyball.core.service import Service

UNKNOWN = Health(why="the monitor fails, and nobody knows how it is")


class Sensor(Protocol):
    """The monitor and the deciding part of learning, behind one question."""

    def look(self, state: ServiceState, now: str, *, dropped: int | None = None) -> Seen:
        """`dropped`: records that the gateway has counted as lost since its step began; None: it does not answer."""
        ...


class Looking:
    """Asks all that a plan of one service rests on."""

    def __init__(
        self, service: Service, *, gateways: Gateways, sensor: Sensor, foretelling: Foretelling | None = None
    ) -> None:
        """Foretelling: of rollouts that would open; None: nobody looks whether they can answer."""
        self._service, self._gateways, self._sensor, self._foretelling = service, gateways, sensor, foretelling
        self._silent_since = ""  # when a gateway was asked first that has not answered since; empty: it answers
        self._silent_s = 0.0  # how long none had answered before the one that does, until that is on the ledger

    def look(self, state: ServiceState, now: str) -> Seen:
        """What the sensor says; that it failed, where it raised. Signs that stand on the ledger stand all the same.

        Raises: Unavailable: the log cannot be read now, which is no fault of ours: the next round tries again.
        """
        observed = self._observe(state, now)
        dropped = observed.counts.dropped if observed is not None and observed.counts is not None else None
        try:
            return self._sensor.look(state, now, dropped=dropped)
        except Unavailable:
            raise
        except Exception as error:  # whatever it is: it is told, and the round goes on
            health = state.health.health
            return Seen(health=health if health.signs else UNKNOWN, failure=failure(MONITOR, error))

    def situation(self, state: ServiceState, seen: Seen, *, now: str, now_s: float, stale: bool) -> Situation:
        """All that the planner may look at. `now_s`: monotonic seconds."""
        observed, asking = self._observe(state, now), Asking()
        if seen.failure is not None:  # what the judge would say rests on it
            asking.failures.append(seen.failure)
            outlook = None
        else:
            asking.answered.append(MONITOR)
            outlook = asking(JUDGE, partial(self._outlook, state, observed, seen, now, now_s))
        if observed is not None and observed.routing is not None and observed.routing.epoch > state.epoch:
            # orders that this ledger does not know (it was replaced by an older one): the next is above them
            state = replace(state, epoch=observed.routing.epoch)
        return Situation(
            state=state,
            service=self._service,
            now=now,
            observed=observed,
            silent_s=self._silent_s,
            outlook=outlook or Outlook(),
            learning=seen.learning,
            stale=stale,
            watched=seen.watched,
            changed=seen.changed,
            health=seen.health,
            failures=tuple(asking.failures),
            answered=tuple(asking.answered),
        )

    def _observe(self, state: ServiceState, now: str) -> Observed | None:
        """A gateway that does not answer is a state of the world, not an error: the planner waits for it."""
        try:
            observed = self._gateways.observe(state.service)
        except Unavailable:
            self._silent_since = self._silent_since or now
            return None
        if self._silent_since:
            self._silent_s, self._silent_since = elapsed_s(self._silent_since, now), ""
        if not observed.life or observed.life in state.gateways:  # it is on the ledger, or no life of its own to tell
            self._silent_s = 0.0
        return observed

    def _outlook(self, state: ServiceState, observed: Observed | None, seen: Seen, now: str, now_s: float) -> Outlook:
        if state.rollout is not None:
            return of_step(state, self._service, observed, seen, now)
        if self._foretelling is None:
            return Outlook()
        return Outlook(power=self._foretelling.power(state, now_s))
