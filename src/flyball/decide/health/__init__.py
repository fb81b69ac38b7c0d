"""How well a service is: readings of what was measured, and the judge that makes a state of them."""

from flyball.core.health import SignKind
from flyball.core.service import Service
from flyball.decide.health.beginning import began_at
from flyball.decide.health.feeding_signs import feeding_signs
from flyball.decide.health.judge import Judging, due, judge, resumed, same
from flyball.decide.health.margin import base_of, projected, tolerated
from flyball.decide.health.quality_signs import quality_signs
from flyball.decide.health.reading import Reading, Readings
from flyball.decide.health.serving_signs import SLOW, latency_limit_ms, serving_signs
from flyball.decide.health.vitals import Counted, Late, Latency, Loss, Trend, Unlabelled, Vitals

__all__ = [
    "SLOW",
    "Counted",
    "Judging",
    "Late",
    "Latency",
    "Loss",
    "Reading",
    "Readings",
    "Trend",
    "Unlabelled",
    "Vitals",
    "base_of",
    "began_at",
    "due",
    "judge",
    "latency_limit_ms",
    "projected",
    "readings",
    "resumed",
    "same",
    "tolerated",
]

# from windows of the present champion: what they do not show is over, or was said of a champion that serves no more
OF_A_CHAMPION: frozenset[SignKind] = frozenset({"drift", "quality", "trend"})


def readings(vitals: Vitals, service: Service) -> Readings:
    """What was measured, beside the limits of `monitor.health`. A service without a champion has no readings."""
    if not vitals.champion:
        return Readings(unknown="it has no champion")
    monitor, recycle = service.monitor, service.serving.recycle
    found = (
        *serving_signs(vitals, monitor.health, recycle),
        *feeding_signs(vitals, monitor.health, monitor.psi),
        *quality_signs(vitals, monitor.health),
    )
    return Readings(found=found, measured=OF_A_CHAMPION | {each.kind for each in found})
