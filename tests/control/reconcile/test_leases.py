"""A lease is renewed at half its time, and nothing is lost by that: whoever was overtaken is refused by the ledger."""

from typing import Any

import pytest
from tests.control.loop import Loop
from tests.control.world import SECOND, registered

from flyball.core import events as e


def test_at_rest_a_lease_is_renewed_at_half_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop()
    asked = []
    lease = loop.ledger.lease

    def counted(*which: Any, **how: Any) -> Any:
        asked.append(which)
        return lease(*which, **how)

    monkeypatch.setattr(loop.ledger, "lease", counted)
    for _ in range(70):  # 7 seconds of the 15 that it has
        loop.tick(seconds=0.1)
    assert len(asked) == 1
    for _ in range(70):
        loop.tick(seconds=0.1)
    assert len(asked) == 2


def test_who_was_overtaken_before_the_half_writes_nothing_and_asks_again() -> None:
    loop = Loop()
    loop.tick()
    loop.reconciler.stop()  # the lease is given back, and the controller goes on as if it had not noticed
    second = loop.another("two")
    assert second.tick() is not None
    loop.write(*registered(SECOND))
    assert loop.reconciler.tick() is None
    assert loop.facts(e.RolloutOpened) == []
    assert loop.reconciler.tick() is None  # now by the lease
    second.tick()
    assert len(loop.facts(e.RolloutOpened)) == 1


def test_a_clock_that_stands_or_jumps_renews_rather_than_trusts() -> None:
    loop = Loop()
    loop.tick()
    loop.clock.advance(16)  # longer than the lease: a machine that slept
    second = loop.another("two")
    assert second.tick() is not None
    assert loop.reconciler.tick() is None
