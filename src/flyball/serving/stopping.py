"""The gateway's own authority: to set a candidate's weight to 0, never to raise one. Pure."""

from datetime import UTC, datetime

import msgspec

from flyball.core.clock import timestamp
from flyball.core.routing import Routing, StepCounts, Stopped, Verdict


def stopped_by(
    verdict: Verdict, routing: Routing, counts: StepCounts, *, at: float, first: float | None
) -> Stopped | None:
    """What the gateway does about a verdict: on ROLL_BACK the candidate goes; any other kind is the controller's.

    Args: at: now. first: when the candidate answered first, None: never. Both in seconds since the epoch.
    """
    if verdict.kind != "ROLL_BACK" or routing.rollout is None:
        return None
    return Stopped(
        rollout=routing.rollout,
        epoch=routing.epoch,
        verdict=verdict,
        counts=counts,
        at=timestamp(datetime.fromtimestamp(at, UTC)),
        seconds=at - first if first is not None else 0.0,
    )


def effective(routing: Routing, stopped: Stopped | None) -> Routing:
    """The table that is obeyed: once a rollout is stopped its candidate gets neither weight nor mirrored rows."""
    if stopped is None or stopped.rollout != routing.rollout:
        return routing
    return msgspec.structs.replace(routing, weight=0, shadow=0.0)
