"""What a rehearsal gathers by itself for the rules of a policy, beside what a controller tells them."""

from datetime import UTC, datetime
from functools import cache

import pytest
from msgspec.structs import replace
from tests.control.world import FIRST, OPENED, SECOND
from tests.simulation.small import SERVICE, declared, scenario
from tests.simulation.stories import STORIES

from flyball.app.rehearse.scenario import Word
from flyball.app.rehearse.seen_facts import SeenFacts
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.control.policing import told_of
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.policy_facts import sample
from flyball.core.rollout_power import RolloutPower

CASTS = {
    "steps that somebody accepts as they are": Cast(
        declared(replace(SERVICE, rollout=replace(SERVICE.rollout, waive={"canary-40%": "so", "canary-50%": "so"}))),
        scenario(traffic_rps=0.01, words=(Word(at=12_000, say="rollback"),)),
    ),
    "a person undoes": Cast(
        declared(), scenario(words=(Word(at=9000, say="rollback"), Word(at=20_000, say="retrain", by="ada")))
    ),
    **{name: STORIES[name] for name in ("exceptions", "messages")},
}


@cache
def both(name: str) -> list[tuple[dict[str, object], dict[str, object]]]:
    """After each fact and of each release that was judged: what a controller tells, and what the rehearsal gathered."""
    run, service = Rehearsal(CASTS[name], 1), CASTS[name].service
    run.run()
    state, seen, judged, found = ServiceState(service=service.metadata.name), SeenFacts(service), set[str](), []
    for entry in run.world.ledger.read():
        at = datetime.fromisoformat(entry.at)
        state = fold(state, entry)
        seen.fact(at, entry.fact)
        if isinstance(entry.fact, e.GatesJudged):
            judged.add(entry.fact.release)
        found += [(told_of(state, service, root, entry.at), seen.told(root, at)) for root in sorted(judged)]
    return found


@pytest.mark.parametrize("name", CASTS)
def test_it_tells_what_production_tells(name: str) -> None:
    pairs = both(name)
    for production, seen in pairs:
        assert seen == production
    told = {fact for _, seen in pairs for fact in seen}
    assert told == sample("").keys()


def test_these_histories_tell_it_one_way_and_the_other() -> None:
    told = [production for name in CASTS for production, _ in both(name)]
    for fact in ("underpowered", "by_person", "by_exception", "failed_rollouts", "drift"):
        assert {bool(each[fact]) for each in told if fact in each} == {True, False}, fact
    undone = [each["failed_rollouts"] for each, _ in both("a person undoes")]
    assert max(map(int, map(str, undone))) > 0


@pytest.mark.parametrize("power", [None, RolloutPower(verdict="UNKNOWN", traffic="nobody can tell")])
def test_what_nobody_can_tell_it_does_not_tell(power: RolloutPower | None) -> None:
    seen, now = SeenFacts(SERVICE), datetime(2026, 11, 20, tzinfo=UTC)
    seen.fact(now, replace(OPENED, power=power))
    assert "underpowered" not in seen.told(SECOND, now)
    seen.fact(now, replace(OPENED, power=RolloutPower(verdict="POWERED", traffic="2 requests a second")))
    assert seen.told(SECOND, now)["underpowered"] is False
    assert "underpowered" not in seen.told(FIRST, now)
