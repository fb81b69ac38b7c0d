"""A gateway that was started anew, as after a kill, goes on the ledger: by itself it writes nothing there. Pure.

How long nobody had answered before it is in the fact: clients went without an answer for at least so long.

Several gateways that answer in turn are each told of once: lives that are known stay so for a while.
"""

from flyball.control.decision import Decision, Situation
from flyball.core import events as e
from flyball.core.ids import ServiceName


def plan_gateway(situation: Situation) -> Decision | None:
    """None: nobody answers, it does not say which life it is in, or that is known."""
    state, observed = situation.state, situation.observed
    if observed is None or not observed.life or observed.life in state.gateways:
        return None
    started = e.ProcessStarted(
        service=ServiceName(state.service),
        process="gateway",
        epoch=state.epoch,
        owner=observed.owner,
        life=observed.life,
        silent_s=situation.silent_s,
    )
    why = "another process answers as the gateway"
    return Decision(action="gateway", what="started", why=why, facts=(started,), told=True)
