"""A crash at every effect of a rollout and of a retraining, on both ledgers: it ends as it does without one.

An effect is an append, an order to the gateway or an order to train. What was done by an effect and what is durable
before the next one are the same thing, so dying before each of them, and after the last, is dying everywhere.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec.structs import replace
from tests.simulation.small import SERVICE, declared, scenario

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.app.rehearse.scenario import Candidate, Drift
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.learner import root_of
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.app.wiring.rehearse.striking import Side
from flyball.core.ids import ReleaseRoot
from flyball.core.ledger import Ledger
from flyball.core.service import Approval, Canary, Promote, Psi, Shadow, Step
from flyball.registry import chain


class Closing(Protocol):
    def close(self) -> None: ...


SEED = 23  # whose person looks soon
QUICK = replace(
    SERVICE,
    rollout=replace(
        SERVICE.rollout,
        steps=(
            Step(shadow=Shadow(min_pairs=20)),
            Step(approval=Approval()),
            Step(canary=Canary(weight=0.5, min_requests=20, min_s=0)),
            Step(promote=Promote()),
        ),
    ),
    monitor=replace(SERVICE.monitor, window_rows=50, psi=Psi(consecutive=1), live_metric=None),
    retrain=replace(SERVICE.retrain, triggers=("drift",), min_new_rows=20),
)
TWO_ROLLOUTS = scenario(
    days=0.03,
    traffic_rps=0.7,
    candidates=(Candidate(at=60, error_ratio=0, slow_ratio=0), Candidate(at=2000, error_ratio=300)),
)
A_RETRAINING = scenario(
    days=0.08,
    traffic_rps=2.0,
    label_delay_s=60.0,
    candidates=(),
    drift=(Drift(at=0, feature="x", shift=4.0),),
)
STORIES = {"rollouts": TWO_ROLLOUTS, "retraining": A_RETRAINING}
# windows of so few rows see a drift where there is none: where that is not the story nobody trains for it
STILL = replace(QUICK, autonomy=replace(QUICK.autonomy, retrain="observe"))
CASTS = {name: Cast(declared(QUICK if told.drift else STILL), told) for name, told in STORIES.items()}


def memory(clock: SimulatedClock) -> Ledger:
    return MemoryLedger(sealer=chain, clock=clock)


def ended(story: str, make: Callable[[SimulatedClock], Ledger], crash_at: tuple[int, Side] | None) -> Rehearsal:
    rehearsal = Rehearsal(CASTS[story], SEED, make_ledger=make, crash_at=crash_at)
    run = rehearsal.run()
    assert run.violations == (), crash_at
    return rehearsal


def ending(rehearsal: Rehearsal) -> dict[str, Any]:
    """All that is left in the end, whenever it happened."""
    names = {root_of("small", name): name for name in ("first", "candidate 0", "candidate 1")}
    state, ordered = rehearsal.state, rehearsal.world.gateway.ordered

    def called(root: str | None) -> str | None:
        return None if root is None else names.get(ReleaseRoot(root), "retrained")

    assert ordered is not None
    return {
        "champion": called(state.champion),
        "previous": called(state.previous),
        "withdrawn": sorted(str(called(root)) for root in state.withdrawn),
        "waiting": state.waiting,
        "releases": len(state.releases),
        "open": (state.rollout, state.ticket, state.incident),
        "serves": (called(ordered.champion), called(ordered.previous), ordered.candidate, ordered.weight),
    }


@pytest.fixture
def sqlite() -> Iterator[Callable[[SimulatedClock], Ledger]]:
    """A new file for each run, in memory where the system can: a process dies here, not the power."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder, ExitStack() as opened:
        numbers = count()

        def make(clock: SimulatedClock) -> Ledger:
            file = Path(folder) / f"ledger-{next(numbers)}.db"
            return opened.enter_context(closing(SqliteLedger(file, sealer=chain, clock=clock)))

        yield make


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> Iterator[Callable[[SimulatedClock], Ledger]]:
    """A new schema of a real server for each run; leases go by the simulated clock."""
    from tests import postgres as real

    from flyball.adapters.ledger.postgres import PostgresLedger

    server = request.getfixturevalue("postgres_server")
    with ExitStack() as opened:
        # one at a time: the server has room for some connections, and each run leaves two
        opened_last: list[Closing] = []

        def make(clock: SimulatedClock) -> Ledger:
            for before in opened_last:
                before.close()
            ledger = PostgresLedger(real.place(server), sealer=chain, clock=clock)
            opened_last[:] = [ledger]
            opened.callback(ledger.close)
            return ledger

        yield make


def dies_everywhere(story: str, make: Callable[[SimulatedClock], Ledger], *, every: int = 1) -> None:
    """Args: every: only each n-th of the effects, and the last."""
    whole = ended(story, make, None)
    expected, effects = ending(whole), whole.world.points.effects
    assert {"ledger.append", "gateway.apply"} <= set(effects)
    points: list[tuple[int, Side]] = [(number, "before") for number in range(1, len(effects) + 1)]
    for crash_at in [*points[::every], (len(effects), "after")]:
        assert ending(ended(story, make, crash_at)) == expected, (crash_at, effects[crash_at[0] - 1])


def test_the_stories_are_what_they_are_meant_to_be() -> None:
    rollouts, retraining = (ending(ended(story, memory, None)) for story in STORIES)
    assert (rollouts["champion"], rollouts["withdrawn"]) == ("candidate 0", ["candidate 1"])
    assert (retraining["champion"], retraining["previous"]) == ("retrained", "first")
    assert rollouts["open"] == retraining["open"] == (None, None, None)


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_every_effect_on_the_memory_ledger(story: str) -> None:
    dies_everywhere(story, memory)


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_every_effect_on_the_sqlite_ledger(story: str, sqlite: Callable[[SimulatedClock], Ledger]) -> None:
    dies_everywhere(story, sqlite)


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_some_effects_on_the_postgresql_ledger(
    story: str, postgres: Callable[[SimulatedClock], Ledger]
) -> None:
    dies_everywhere(story, postgres, every=12)


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_every_effect_on_the_postgresql_ledger(
    story: str, postgres: Callable[[SimulatedClock], Ledger]
) -> None:
    dies_everywhere(story, postgres)
