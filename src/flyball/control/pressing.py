"""Which windows count for the pressure of a service, as its facts stand. Pure."""

from collections.abc import Sequence

from flyball.control.state.service_state import ServiceState
from flyball.core.clock import moment
from flyball.core.pressure import Pressure
from flyball.core.service import Service
from flyball.core.watching import WindowReport
from flyball.decide.pressure import pressures
from flyball.decide.triggers import dead_s


def pressing(reports: Sequence[WindowReport], service: Service, state: ServiceState) -> tuple[Pressure, ...]:
    """Args: reports: of the champion of that state, in order."""
    return pressures(reports, service, since_s=_since_s(service, state), held=_held(state))


def _held(state: ServiceState) -> str:
    """What is under way, and changes what the windows would say."""
    if state.ticket is not None and state.ticket.ordered is not None:
        return "a training is under way"
    return "a rollout is under way" if state.rollout is not None else ""


def _since_s(service: Service, state: ServiceState) -> float:
    """Windows that began before this do not know of the newest deed, or are from beside it."""
    deeds = [moment(at).timestamp() for at in (state.appointed_at, state.rested_at) if at]
    if state.retrained_at:
        deeds.append(moment(state.retrained_at).timestamp() + dead_s(service))
    return max(deeds, default=0.0)
