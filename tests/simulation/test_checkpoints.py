"""A controller that goes on from a checkpoint is one that has read the whole log: their histories are the same."""

import msgspec
import pytest
from msgspec.structs import replace
from tests.simulation.small import SERVICE, cast_of, declared, drifting, scenario

from flyball.adapters.checkpoints import MemoryCheckpoints
from flyball.app.rehearse.faults import FaultAt
from flyball.app.rehearse.scenario import Candidate, Scenario
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.control.reconcile.checkpoint import Checkpoint, CheckpointedSensor
from flyball.control.reconcile.sensing import TelemetrySensor
from flyball.core.errors import Unavailable
from flyball.core.service import MetricGuardrail
from flyball.monitor.watch import Watcher

NEVER = 10**9
CRASHES = tuple(FaultAt(at=at, point="controller", kind="crash") for at in range(1800, 40_000, 2500))
STORIES = {
    "two rollouts": replace(scenario(days=0.2), faults=CRASHES),
    "a drift": replace(drifting(), days=0.5, faults=CRASHES),
    "two controllers": replace(scenario(days=0.1), faults=(FaultAt(at=0, point="controller", kind="second"), *CRASHES)),
}


def run(cast: Cast, panes: int) -> tuple[str, int]:
    """Digest of all that happened, and how many panes the last controller read."""
    rehearsal = Rehearsal(cast, 8, checkpoint_panes=panes)
    found = rehearsal.run()
    assert found.violations == ()
    sensor = rehearsal._controllers[0]._loop._looking._sensor  # type: ignore[union-attr]
    assert isinstance(sensor, CheckpointedSensor)
    return found.digest, sensor.sensor.fed


@pytest.mark.parametrize("story", STORIES)
def test_with_and_without_checkpoints_the_same_happens(story: str) -> None:
    cast = cast_of(STORIES[story])
    (whole, all_panes), (kept, few) = (run(cast, panes) for panes in (NEVER, 1 if story == "a drift" else 3))
    assert whole == kept
    assert few < all_panes


def test_who_was_seen_by_metric_guardrails_is_kept_too() -> None:
    rails = replace(SERVICE.rollout.guardrails, metrics=(MetricGuardrail(name="accuracy", max_loss=0.2),))
    service = replace(SERVICE, rollout=replace(SERVICE.rollout, guardrails=rails))
    told = scenario(days=0.1, candidates=(Candidate(at=600, error_ratio=0, slow_ratio=0),), faults=CRASHES)
    cast = Cast(declared(service), told)
    assert run(cast, NEVER)[0] == run(cast, 1)[0]


class Refusing(MemoryCheckpoints):
    def save(self, data: bytes) -> None:
        raise Unavailable("the disk is full")


def ended(told: Scenario) -> tuple[Rehearsal, TelemetrySensor, Watcher]:
    """A rehearsal that is over, with an empty sensor and monitor of its service beside it."""
    cast = cast_of(told)
    rehearsal = Rehearsal(cast, 8, checkpoint_panes=1)
    rehearsal.run()
    watcher = Watcher(cast.service, cast.contract, cast.models.promise)
    return rehearsal, TelemetrySensor(cast.service, rehearsal.world.telemetry, watcher), watcher


QUIET = scenario(days=0.15, candidates=())


def fed(store: MemoryCheckpoints, key: str, *, covered: int = NEVER) -> tuple[int, list[str]]:
    """How many panes a new sensor reads, and what it complains of."""
    rehearsal, sensor, watcher = ended(QUIET)
    said: list[str] = []
    looking = CheckpointedSensor(
        sensor,
        rehearsal.world.telemetry,
        store,
        key=key,
        beside={"watcher": watcher},
        covered=lambda index: index <= covered,
        complain=said.append,
        every_panes=1,
    )
    looking.look(rehearsal.state, "2026-01-01T00:00:00Z")
    return sensor.fed, said


def test_a_checkpoint_of_something_else_is_read_over() -> None:
    rehearsal, _, _ = ended(QUIET)
    data = rehearsal.world.checkpoints.load()
    assert data is not None
    found = msgspec.msgpack.decode(data, type=Checkpoint)
    whole, _ = fed(MemoryCheckpoints(), "small")

    def holding(changed: bytes) -> MemoryCheckpoints:
        store = MemoryCheckpoints()
        store.save(changed)
        return store

    assert found.pane.index > 0
    assert fed(holding(data), "small")[0] == 0
    assert fed(holding(data), "another declaration")[0] == whole
    assert fed(holding(data), "small", covered=found.pane.index - 1)[0] == whole
    other = replace(found, pane=replace(found.pane, last_row=found.pane.last_row + 1))
    assert fed(holding(msgspec.msgpack.encode(other)), "small")[0] == whole
    ahead = replace(found, pane=replace(found.pane, index=found.pane.index + 1))
    assert fed(holding(msgspec.msgpack.encode(ahead)), "small")[0] == whole
    assert fed(holding(b"of a version that nobody knows"), "small")[0] == whole


def test_a_store_that_takes_nothing_is_told_and_stops_nobody() -> None:
    panes, said = fed(Refusing(), "small")
    assert panes > 0
    assert said == ["what was learned from the log is not kept now: the disk is full"]


def test_what_was_handed_in_is_the_new_ones_own() -> None:
    """A promise is read from its release, and worth from its table: neither may come out of a checkpoint."""
    rehearsal, sensor, watcher = ended(QUIET)
    CheckpointedSensor(
        sensor, rehearsal.world.telemetry, rehearsal.world.checkpoints, key="small", beside={"watcher": watcher}
    ).look(rehearsal.state, "2026-01-01T00:00:00Z")
    assert sensor.fed == 0
    assert watcher.version > 0
    assert watcher._book.baseline_of is watcher.handed_in[-1]
    assert watcher._book.service is watcher._service is rehearsal.cast.service
    assert watcher._arms.rows_of.__self__ is watcher._book  # type: ignore[attr-defined]
