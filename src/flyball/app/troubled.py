"""Whether anything of a service is not as it should be at this moment, by its facts: what a runbook asks. Pure."""

from flyball.control.state.alert_causes import alarming
from flyball.control.state.service_state import ServiceState


def troubles(state: ServiceState) -> tuple[str, ...]:
    """What stands: signs of health, signals that are more than noted, incidents that no drill made, budgets that burn
    or are spent.

    >>> troubles(ServiceState(service="fraud"))
    ()
    """
    health = state.health
    return (
        *(f"sign {sign.key}" for sign in health.health.signs),
        *(f"signal {raised.signal.signal}" for raised in state.signals.values() if alarming(raised.signal)),
        *(f"incident {name}" for name, one in state.incidents.open.items() if one.opened.kind != "drill"),
        *(f"budget {objective}" for objective in {**health.burning, **health.spent}),
    )
