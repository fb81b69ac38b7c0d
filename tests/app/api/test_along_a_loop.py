"""What is thought of a release at every moment of a real loop's ledger: the loop's words are understood."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.control.loop import Loop, failing, healthy
from tests.control.world import NAME, SECOND, registered

from flyball.app.api.endings import Endings
from flyball.app.api.judgement import Judgement, judgement
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core.routing import ArmCounts, Routing, StepCounts

Counts = Callable[[Routing], StepCounts]


def skewed(routing: Routing) -> StepCounts:
    """Far more units reach the candidate than were promised."""
    base = healthy()(routing)
    if not routing.weight:
        return base
    return replace(base, champion=ArmCounts(requests=1000, units=1000), candidate=ArmCounts(requests=1000, units=1000))


def leaking(routing: Routing) -> StepCounts:
    """A tenth of the rows has no record."""
    return replace(healthy()(routing), dropped=200)


def run(counts: Counts, ticks: int = 12) -> Loop:
    loop = Loop()
    loop.gateways.seen = counts
    loop.write(*registered(SECOND))
    for _ in range(ticks):
        state = loop.tick()
        if state.rollout is not None and state.rollout.asked is not None and state.rollout.approved is None:
            loop.approve()
    return loop


def along(loop: Loop) -> list[tuple[ServiceState, Judgement, Judgement]]:
    """After each fact: where the service stands, what is said without a name, and what is said of the release."""
    found, state, endings = [], ServiceState(service=NAME), Endings()
    for entry in loop.ledger.read():
        state = fold(state, entry)
        endings.add(entry)
        if SECOND in state.releases:
            told = endings.of(NAME)
            found.append((state, judgement(state, told, None), judgement(state, told, SECOND)))
    return found


@pytest.mark.parametrize("counts", [healthy(), failing(), skewed, leaking])
def test_a_release_passes_when_it_serves_and_at_no_other_moment(counts: Counts) -> None:
    for state, unnamed, named in along(run(counts)):
        assert named.ok is (named.verdict == "PROMOTE") is (state.champion == SECOND)
        assert not unnamed.ok
        assert (unnamed == named) is (state.rollout is not None and state.champion != SECOND)


@pytest.mark.parametrize(
    ("counts", "ever", "last"),
    [
        (healthy(), {"HOLD", "PROMOTE"}, "PROMOTE"),
        (failing(), {"HOLD", "ROLL_BACK"}, "ROLL_BACK"),
        (skewed, {"HOLD", "INVALID"}, "INVALID"),
        (leaking, {"HOLD", "INCONCLUSIVE"}, "INCONCLUSIVE"),
    ],
)
def test_each_kind_of_evidence_ends_in_its_verdict(counts: Counts, ever: set[str], last: str) -> None:
    kinds = [named.verdict for _, _, named in along(run(counts))]
    assert (kinds[0], kinds[-1]) == ("INCONCLUSIVE", last), "before its gates are judged nothing is known of it"
    assert set(kinds[1:]) == ever
