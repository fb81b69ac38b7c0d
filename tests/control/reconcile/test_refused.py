"""Clients that are refused, as the loop hears of them: what nobody has looked at yet is over for nobody."""

from typing import Any

from tests.control.world import NAME, service

from flyball.control.reconcile import TelemetrySensor
from flyball.control.reconcile.vitals import HealthWatch
from flyball.control.state.health_state import HealthStanding
from flyball.control.state.service_state import ServiceState
from flyball.core.clock import moment
from flyball.core.events import AnyFact
from flyball.core.facts.access import AccessCalm, AccessRefused
from flyball.core.ports import Segment
from flyball.core.surroundings import Surroundings

NOW = "2026-11-27T10:00:00.000000Z"
KEY = "key-0a1b2c3d4e5f"
STANDING = ServiceState(
    service=NAME, health=HealthStanding(refused={KEY: AccessRefused(service=NAME, key=KEY, why="it has run out")})
)


class Nothing:
    """A log without panes, and a monitor that is asked for nothing else."""

    def sealed(self, service: str, after: int) -> list[Segment]:
        return []

    def compare(self, trial: Any) -> None:
        assert trial is None

    def arm_metrics(self) -> tuple[()]:
        return ()


def told(around: Surroundings) -> list[AnyFact]:
    """What a controller that has just begun says, with a key refused on the ledger."""
    nothing: Any = Nothing()
    sensor = TelemetrySensor(service(), nothing, nothing, health=HealthWatch(service(), around=lambda: around))
    changed = sensor.look(STANDING, NOW).changed
    return [fact for fact in changed if isinstance(fact, AccessRefused | AccessCalm)]


def test_a_controller_that_begins_ends_nothing_before_somebody_has_looked() -> None:
    assert told(Surroundings()) == []
    assert told(Surroundings(refused={KEY: moment(NOW).timestamp() - 1})) == []
    (over,) = told(Surroundings(refused={}))
    assert isinstance(over, AccessCalm)
