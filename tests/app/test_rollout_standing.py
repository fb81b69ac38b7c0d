"""Where a rollout stands, as people see it: what was ordered for the whole service is not hidden behind it."""

from msgspec.structs import replace
from tests.control.loop import ADA, Loop, healthy
from tests.control.world import NAME, SECOND, registered, service

from flyball.app.rollout_standing import in_words, rollout_standing
from flyball.app.waivers import waive
from flyball.core import events as e
from flyball.core.service import Canary, Promote, Step
from flyball.decide.even_shares import HALF, LOWERINGS
from flyball.decide.step_plan import Traffic


def told(loop: Loop) -> str:
    return in_words(rollout_standing(loop.reconciler.state, loop.service))


def test_a_freeze_and_a_rollback_that_is_still_to_come_are_told_with_and_without_a_rollout() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.tick()
    assert "frozen" not in told(loop)
    loop.write(e.Frozen(service=NAME, by="ada", why="audit"))
    loop.tick()
    assert told(loop).splitlines()[-1] == "  frozen by ada: nothing moves but the way back"
    loop.write(e.Thawed(service=NAME, by="ada", why="done"), *registered(SECOND))
    loop.tick()
    loop.gateways.gone = True
    loop.write(e.RollbackOrdered(service=NAME, key="rollback/1", by="bob", proof="os_user", why="now"))
    loop.reconciler.catch_up()
    words = told(loop)
    assert "rollout ro-" in words
    assert words.splitlines()[-1] == "  a rollback is ordered by bob"


def test_why_a_release_waits_is_told_where_people_look_first() -> None:
    thin = (Step(canary=Canary(weight=0.01, min_s=0, timeout_s=3600)), Step(promote=Promote()))
    loop = Loop(service(steps=thin), traffic=lambda: Traffic(requests_s=2.0, errors=0.001, slow=0.01, source="a log"))
    loop.tick()
    loop.write(*registered(SECOND))
    loop.tick()
    first, waits, why, helps = told(loop).splitlines()
    assert ("no rollout runs" in first, SECOND[7:15] in waits) == (True, True)
    assert "step canary-1% is underpowered" in why
    assert "flyball rollout waive" in helps
    waive(loop.ledger, NAME, ["canary-1%"], ADA, "a smoke test")
    loop.gateways.seen = healthy()
    loop.tick()
    assert "canary-1% (underpowered, accepted)" in told(loop)


def test_a_weight_that_no_suspicion_lowers_any_more_is_told() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    state = loop.reconciler.state
    assert state.rollout is not None
    for times in (LOWERINGS - 1, LOWERINGS):
        shares = [(at, weight) for at, weight in enumerate([9500, HALF] * times)]
        words = in_words(
            rollout_standing(replace(state, rollout=replace(state.rollout, weights=tuple(shares))), loop.service)
        )
        assert (f"even shares {LOWERINGS} times in this rollout: no suspicion" in words) == (times == LOWERINGS)
