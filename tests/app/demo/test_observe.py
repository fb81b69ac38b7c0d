"""Waits end with a fact, or with words for its absence."""

import asyncio

import pytest

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.demo.observe import Follower, NotSeen
from flyball.core import events as e
from flyball.core.ids import ServiceName
from flyball.registry import chain

FRAUD = ServiceName("fraud")


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(sealer=chain, clock=SimulatedClock())


def frozen(why: str) -> e.Frozen:
    return e.Frozen(service=FRAUD, by="ada", why=why)


def test_the_first_fact_that_matches_ends_the_wait(ledger: MemoryLedger) -> None:
    follow = Follower(ledger.read, lambda: None)

    async def story() -> e.Frozen:
        waiting = asyncio.create_task(follow.until(e.Frozen, lambda fact: fact.why == "b", what="a freeze"))
        await asyncio.sleep(0)
        ledger.append([frozen("a"), frozen("b"), frozen("b")])
        return await waiting

    found = asyncio.run(story())
    assert (found.why, follow.seq_of(found), follow.seq) == ("b", 2, 3)


def test_facts_before_the_mark_do_not_count(ledger: MemoryLedger) -> None:
    ledger.append([frozen("old")])
    follow = Follower(ledger.read, lambda: None)
    with pytest.raises(NotSeen, match="a freeze: not within 0 s"):
        asyncio.run(follow.until(e.Frozen, what="a freeze", after=1, within_s=0))


def test_a_fact_after_which_it_will_never_come_ends_the_wait_at_once(ledger: MemoryLedger) -> None:
    ledger.append([frozen("audit")])
    follow = Follower(ledger.read, lambda: None)
    with pytest.raises(NotSeen, match="a thaw: it was frozen"):
        asyncio.run(
            follow.until(
                e.Thawed,
                what="a thaw",
                unless=lambda fact: "it was frozen" if isinstance(fact, e.Frozen) else None,
            )
        )


def test_an_alarm_ends_every_wait(ledger: MemoryLedger) -> None:
    def alarm() -> None:
        raise NotSeen("the gateway is gone")

    with pytest.raises(NotSeen, match="gone"):
        asyncio.run(Follower(ledger.read, alarm).until(e.Thawed, what="a thaw"))
