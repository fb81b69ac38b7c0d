"""What a rollout that would open will be able to see, asked now and then at the traffic of the day."""

from collections.abc import Callable

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
        """`plan`: at the traffic of today (`control.powering.foretold`); may raise Unavailable."""
        self._service, self._plan = service, plan
        self._made: tuple[float, RolloutPlan] | None = None

    def power(self, state: ServiceState, now_s: float) -> RolloutPower | None:
        """None: no rollout would open now. `now_s`: monotonic seconds."""
        if not state.waiting or state.champion is None or state.rollout is not None or state.ab is not None:
            return None
        if self._made is None or now_s - self._made[0] >= AGAIN_S:
            try:
                self._made = now_s, self._plan()
            except Unavailable as error:
                if self._made is None:  # nobody can tell, and so it is told on the ledger
                    return RolloutPower(verdict="UNKNOWN", traffic=f"nobody can tell: {error}")
        return power(self._made[1], waivers(self._service, state))
