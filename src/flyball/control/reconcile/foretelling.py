"""What a rollout that would open will be able to see, asked now and then at the traffic of the day."""

from collections.abc import Callable

from msgspec.structs import replace

from flyball.control.failure import Again
from flyball.control.rollout.powering import waivers
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import Unavailable
from flyball.core.rollout_power import RolloutPower
from flyball.core.service import Service
from flyball.decide.rollout_plan import RolloutPlan, power

AGAIN_S = 600.0  # a plan is as good as the traffic that it was made for, and the traffic of a day moves slowly


class Foretelling:
    """Remembers its last plan, which a controller that starts anew makes again."""

    def __init__(self, service: Service, plan: Callable[[], RolloutPlan]) -> None:
        """`plan`: at the traffic of today (`rollout.powering.foretold`); may raise Unavailable."""
        self._service, self._plan = service, plan
        self._asked_s: float | None = None
        self._made: RolloutPlan | None = None  # the newest that could be made
        self._lacking = ""  # why it could not be made anew
        self._fails: Again | None = None  # a fault of ours, which stands until it is made anew

    def power(self, state: ServiceState, now_s: float) -> RolloutPower | None:
        """None: no rollout would open now. `now_s`: monotonic seconds."""
        if not state.waiting or state.champion is None or state.rollout is not None or state.ab is not None:
            return None
        if self._asked_s is None or now_s - self._asked_s >= AGAIN_S:
            self._asked_s = now_s
            self._ask()
        if self._fails is not None:
            self._fails.throw()
        if self._made is None:  # and so it is told on the ledger
            return RolloutPower(verdict="UNKNOWN", traffic=f"nobody can tell: {self._lacking}")
        found = power(self._made, waivers(self._service, state))
        return replace(found, traffic=f"{found.traffic}, as of before: {self._lacking}") if self._lacking else found

    def _ask(self) -> None:
        """What was found before stands where nothing can be found now, and is told as such."""
        self._fails = None
        try:
            self._made, self._lacking = self._plan(), ""
        except Unavailable as error:
            self._lacking = str(error)
        except Exception as error:
            self._fails = Again(error)
