"""A crash at every effect of a rollout and of a retraining, on each ledger: it ends as it does without one.

An effect is an append, an order to the gateway or an order to train. What was done by an effect and what is durable
before the next one are the same thing, so dying before each of them, and after the last, is dying everywhere.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.simulation.crashing import STORIES, ended, ending, memory
from tests.simulation.stories import A_SOAK as SOAK_TOLD
from tests.simulation.stories import GOOD, cast, soaking

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.striking import Side
from flyball.core import events as e
from flyball.core.ledger import Ledger
from flyball.registry import chain


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

        def make(clock: SimulatedClock) -> Ledger:
            opened.close()  # the one before: a server has room for some connections, and each run leaves two
            return opened.enter_context(closing(PostgresLedger(real.place(server), sealer=chain, clock=clock)))

        yield make


# one candidate through a canary and a soak that both wait for labels
A_SOAK = cast(
    soaking(max_loss=0.45, min_s=120),
    replace(SOAK_TOLD, days=0.03, traffic_rps=0.6, candidates=(GOOD,), words=()),
)


def dies_everywhere(story: str | Cast, make: Callable[[SimulatedClock], Ledger], *, every: int = 1) -> None:
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
def test_a_crash_at_some_effects_on_the_sqlite_ledger(story: str, sqlite: Callable[[SimulatedClock], Ledger]) -> None:
    dies_everywhere(story, sqlite, every=3)


def test_the_soak_is_what_it_is_meant_to_be() -> None:
    whole = ended(A_SOAK, memory, None)
    kinds = [entry.fact.kind for entry in whole.world.ledger.read() if isinstance(entry.fact, e.StepStarted)]
    assert kinds == ["shadow", "approval", "canary", "soak", "promote"]
    assert ending(whole)["champion"] == "candidate 0"
    assert ending(whole)["open"] == (None, None, None)


@pytest.mark.slow
def test_a_crash_at_every_effect_of_a_soak_with_a_metric() -> None:
    dies_everywhere(A_SOAK, memory)


def test_a_crash_at_some_effects_of_a_soak_on_the_sqlite_ledger(sqlite: Callable[[SimulatedClock], Ledger]) -> None:
    dies_everywhere(A_SOAK, sqlite, every=10)


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_some_effects_on_the_postgresql_ledger(
    story: str, postgres: Callable[[SimulatedClock], Ledger]
) -> None:
    dies_everywhere(story, postgres, every=12)


@pytest.mark.slow
@pytest.mark.parametrize("story", [*STORIES, A_SOAK], ids=(*STORIES, "soak"))
def test_a_crash_at_every_effect_on_the_sqlite_ledger(
    story: str | Cast, sqlite: Callable[[SimulatedClock], Ledger]
) -> None:
    dies_everywhere(story, sqlite)


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_every_effect_on_the_postgresql_ledger(
    story: str, postgres: Callable[[SimulatedClock], Ledger]
) -> None:
    dies_everywhere(story, postgres)
