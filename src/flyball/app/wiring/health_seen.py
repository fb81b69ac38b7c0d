"""How well a service is, as its home says now: the controller's report, and whether a controller still keeps it."""

from flyball.adapters.health_file import read_report
from flyball.app.home import Home
from flyball.app.wiring.loop.beats import seen_s
from flyball.core.errors import Unavailable
from flyball.core.health_report import HealthSeen


def health_seen(home: Home, service: str) -> HealthSeen:
    """What cannot be read is said, and is no health."""
    try:
        return HealthSeen(report=read_report(home.health(service)), kept_s=seen_s(home, service))
    except Unavailable as error:
        return HealthSeen(report=None, kept_s=None, unreadable=str(error))
