"""One look at the workers that fails is told and does not end the looks; none makes room while an order is prepared."""

import asyncio
import errno
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.serving.stage import PATIENCE_S

from flyball.core.declared.serving import Recycling
from flyball.serving.serve.workers import renewal
from flyball.serving.serve.workers.renewal import Renewal

WORN = Recycling(rows=100)
NO_FILES = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


class Crew:
    """One worker; whoever is asked to make room is noted, and has no rows from then on."""

    def __init__(self, failures: int = 0) -> None:
        self.live: list[Any] = [SimpleNamespace(worker=0, pid=os.getpid(), opened=True, fresh_mb=10.0)]
        self.renewed: list[tuple[int, str]] = []
        self._failures = failures

    async def renew(self, number: int, why: str) -> bool:
        if self._failures:
            self._failures -= 1
            raise NO_FILES
        self.renewed.append((number, why))
        self.live = []
        return True


def kept(
    crew: Crew, rows: Any, monkeypatch: pytest.MonkeyPatch, ordered: Callable[[], bool] = lambda: False
) -> list[str]:
    """Look until somebody has made room; what was said meanwhile."""
    monkeypatch.setattr(renewal, "LOOK_S", 0.0)
    monkeypatch.setattr(renewal, "PAUSE_S", 0.0)
    said: list[str] = []

    async def story() -> None:
        task = asyncio.create_task(Renewal(crew, WORN, rows, said.append, ordered=ordered).keep())  # type: ignore[arg-type]
        async with asyncio.timeout(PATIENCE_S):
            while not crew.renewed and not task.done():
                await asyncio.sleep(0)
        assert not task.done(), "nobody looks any more"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    return said


def test_looks_that_fail_are_said_once_and_the_worn_worker_is_found_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0

    def rows(_: int) -> int:
        nonlocal looks
        looks += 1
        if 2 <= looks <= 4:
            raise NO_FILES
        return 0 if looks == 1 else 1000

    crew = Crew()
    (told,) = kept(crew, rows, monkeypatch)
    assert "OSError" in told
    assert os.strerror(errno.EMFILE) in told
    assert crew.renewed == [(0, "it has answered 1000 rows")]


def test_a_change_of_workers_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = iter([0, *[1000] * 100])
    crew = Crew(failures=2)
    (told,) = kept(crew, lambda _: next(rows), monkeypatch)
    assert "no worn worker could make room now" in told
    assert crew.renewed == [(0, "it has answered 1000 rows")]


def test_a_worn_worker_waits_for_the_end_of_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    crew, preparing = Crew(), iter([True] * 5)
    asked: list[bool] = []

    def ordered() -> bool:
        asked.append(next(preparing, False))
        assert not crew.renewed
        return asked[-1]

    rows = iter([0, *[1000] * 100])
    assert kept(crew, lambda _: next(rows), monkeypatch, ordered) == []
    assert asked == [*[True] * 5, False, False]  # the second look finds it worn


def test_orders_without_a_pause_do_not_keep_a_worn_worker_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "PATIENCE_S", 0.01)
    crew, rows = Crew(), iter([0, *[1000] * 100])
    kept(crew, lambda _: next(rows), monkeypatch, lambda: True)
    assert crew.renewed
