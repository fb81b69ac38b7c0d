"""A bound on the memory of an arm that a fresh one is above already is told, once, and not obeyed; and no arm makes
room while an order is prepared."""

import asyncio
import os
from types import SimpleNamespace
from typing import Any

from flyball.core.declared.serving import Recycling
from flyball.serving.serve.answering.arm_renewal import LOOK_S, ArmRenewal
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.resident import resident_mb


class Later:
    """A clock that every question finds later by more than the pause between two looks."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        self._now += 2 * LOOK_S
        return self._now


def looked(bound_mb: float, *fresh_mb: float | None) -> list[str]:
    """What is said in a look at each of these arms of one release, one after the other."""
    said: list[str] = []
    arms: Any = SimpleNamespace(processes=(), expecting=False)
    clock: Any = Later()
    renewal = ArmRenewal(arms, Recycling(memory_mb=bound_mb), clock, Complaints(said.append))
    for held in fresh_mb:
        arms.processes = (SimpleNamespace(alive=True, pid=os.getpid(), answered=0, fresh_mb=held, release="aa01"),)
        renewal.look()
    return said


def test_a_hopeless_bound_of_an_arm_is_said_once_and_not_obeyed() -> None:
    (told,) = looked(0.5, 900.0, 900.0, 900.0)  # making room would fail: there is no event loop
    assert "the arm of release aa01" in told
    assert "`recycle.memory_mb` is 0.5, a fresh process holds 900 MB" in told


def test_the_next_life_of_the_arm_is_no_news() -> None:
    assert len(looked(0.5, 900.0, 903.0, 898.0)) == 1


def test_a_bound_that_can_hold_is_not_spoken_of() -> None:
    held = resident_mb(os.getpid()) or 0.0
    assert looked(held * 10, 10.0, None, held) == []


def test_a_worn_arm_waits_for_the_end_of_the_order_that_is_prepared() -> None:
    async def story() -> list[bool]:
        seen: list[bool] = []

        async def renew(_: object) -> bool:
            seen.append(arms.expecting)
            return True

        worn = SimpleNamespace(alive=True, pid=os.getpid(), answered=7, fresh_mb=None, release="aa01")
        arms: Any = SimpleNamespace(processes=(worn,), expecting=True, renew=renew)
        clock: Any = Later()
        renewal = ArmRenewal(arms, Recycling(rows=5), clock, Complaints(print))
        for expecting in (True, True, False):
            arms.expecting = expecting
            renewal.look()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return seen

    assert asyncio.run(story()) == [False]
