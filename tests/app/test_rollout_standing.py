"""Where a rollout stands, as people see it: what was ordered for the whole service is not hidden behind it."""

from tests.control.loop import Loop, healthy
from tests.control.world import NAME, SECOND, registered

from flyball.app.rollout_standing import in_words, rollout_standing
from flyball.core import events as e


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
