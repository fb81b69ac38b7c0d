"""How well the service is goes on the ledger once, whatever else is under way, and whenever the controller dies."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace
from tests.control.loop import Loop
from tests.control.world import NAME

from flyball.control.plan import plan
from flyball.control.reconcile import Seen
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.health import Health, Sign
from flyball.decide.health import same

SIGN = Sign(
    kind="errors",
    severity="critical",
    value=0.3,
    limit=0.01,
    since="2026-11-21T09:00:00.000000Z",
    why="30 of 100",
    clears="fewer",
)
ILL = Health(state="UNHEALTHY", why="30 of 100", signs=(SIGN,))


@dataclass
class Watching:
    """Says what the ledger lacks, as the real watch does."""

    health: Health = ILL

    def look(self, state: ServiceState, now: str, *, dropped: int | None = None) -> Seen:
        told = state.health.health
        if same(told, self.health):
            return Seen()
        return Seen(changed=(e.HealthChanged(service=NAME, health=self.health, previous=told.state),))


def told(loop: Loop) -> list[str]:
    return [entry.fact.health.state for entry in loop.ledger.read() if isinstance(entry.fact, e.HealthChanged)]


def test_it_is_told_once_and_needs_no_explanation_beside_it() -> None:
    loop = Loop()
    loop.reconciler._looking._sensor = Watching()
    for _ in range(5):
        state = loop.tick()
    assert told(loop) == ["UNHEALTHY"]
    assert state.health.health == ILL
    assert "health" not in state.decisions  # the fact says why itself


def test_a_freeze_does_not_keep_it_back() -> None:
    loop = Loop()
    loop.write(e.Frozen(service=NAME, by="ada", why="holidays"))
    loop.reconciler._looking._sensor = Watching()
    loop.tick()
    assert told(loop) == ["UNHEALTHY"]


def test_asked_twice_the_planner_tells_the_same() -> None:
    loop = Loop()
    loop.tick()
    situation = loop.reconciler._situation(Seen(changed=(e.HealthChanged(service=NAME, health=ILL),)))
    assert plan(situation) == plan(situation)
    assert plan(situation).decisions[-1].action == "health"


def test_a_controller_that_dies_before_it_is_written_or_after_leaves_one_fact() -> None:
    loop = Loop()
    loop.tick()
    loop.reconciler._looking._sensor = Watching()
    append = loop.ledger.append

    def dies(*facts: object, **other: object) -> list[object]:
        raise KeyboardInterrupt

    loop.ledger.append = dies  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyboardInterrupt):
        loop.tick()
    assert told(loop) == []
    loop.ledger.append = append  # type: ignore[method-assign]

    def dies_after(*facts: object, **other: object) -> list[object]:
        append(*facts, **other)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    for dying in (dies_after, append):
        loop.clock.advance(60.0)  # the lease of the one before has ended
        loop.ledger.append = dying  # type: ignore[method-assign,assignment]
        loop.reconciler = loop.another(f"next of {len(told(loop))}")
        loop.reconciler._looking._sensor = Watching()
        if dying is dies_after:
            with pytest.raises(KeyboardInterrupt):
                loop.tick()
        else:
            loop.tick()
    assert told(loop) == ["UNHEALTHY"]


def test_when_a_critical_sign_was_told_last_counts_to_the_moment_when_it_was_gone() -> None:
    loop = Loop()
    sensor = Watching()
    loop.reconciler._looking._sensor = sensor
    began = loop.tick().health.critical_at
    sensor.health = replace(ILL, signs=())
    gone = loop.tick(600.0).health
    assert gone.critical_at > began
    sensor.health = Health(state="HEALTHY", why="well")
    assert loop.tick(600.0).health.critical_at == gone.critical_at
