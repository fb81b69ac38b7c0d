"""A service over several workers: one that is brought up keeps no order waiting, and misses none."""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path

from tests.serving.parts import CHAMPION, PREVIOUS, routing

from flyball.core.ids import Epoch
from flyball.core.routing import Routing
from flyball.serving.counting.counter_file import in_memory
from flyball.serving.counting.sums import Sums
from flyball.serving.orders import Forget, Order, Prepare
from flyball.serving.serve.workers.over_workers import OverWorkers
from flyball.serving.serve.workers.table import TableMap

FIRST, SECOND = (routing(champion=root, previous=None, epoch=Epoch(n)) for n, root in ((1, CHAMPION), (2, PREVIOUS)))


class Crew:
    """Notes who was left out of an order."""

    def __init__(self) -> None:
        self.left_out: list[set[object]] = []
        self.told: list[Order] = []

    async def ask_all(self, make: Callable[[int], Order], *, within_s: float, but: Collection[object] = ()) -> None:
        self.left_out.append(set(but))
        self.told.append(make(1))


class Units:
    def turn(self, _: object) -> None:
        return


class Slow:
    """A worker that has arrived and takes as long to load as it is told to."""

    worker = 0

    def __init__(self) -> None:
        self.loaded: list[Routing] = []
        self.loading, self.goes_on = asyncio.Event(), asyncio.Event()

    async def ask(self, make: Callable[[int], Order], *, within_s: float) -> str:
        order = make(1)
        if isinstance(order, Prepare):
            self.loading.set()
            await self.goes_on.wait()
            self.loaded.append(order.routing)
        return ""


def test_orders_go_by_a_worker_that_is_brought_up_and_it_is_told_what_it_missed(tmp_path: Path) -> None:
    async def story() -> None:
        crew, late = Crew(), Slow()
        body = OverWorkers("shop", crew, TableMap(tmp_path / "map"), Sums([in_memory()]), Units())  # type: ignore[arg-type]
        body.follow(FIRST, None)
        rising = asyncio.create_task(body.bring_up(late))  # type: ignore[arg-type]
        await late.loading.wait()
        await body.prepare(SECOND)
        assert crew.left_out == [{late}]
        late.goes_on.set()
        await rising
        assert late.loaded == [FIRST, FIRST, SECOND]  # also what is not in force yet, for it was not asked
        body.follow(SECOND, None)
        await body.settle()
        assert crew.left_out == [{late}, set()]

    asyncio.run(story())


def test_a_table_that_came_into_force_meanwhile_is_loaded_before_the_worker_is_up(tmp_path: Path) -> None:
    async def story() -> None:
        crew, late = Crew(), Slow()
        body = OverWorkers("shop", crew, TableMap(tmp_path / "map"), Sums([in_memory()]), Units())  # type: ignore[arg-type]
        body.follow(FIRST, None)
        rising = asyncio.create_task(body.bring_up(late))  # type: ignore[arg-type]
        await late.loading.wait()
        body.follow(SECOND, None)
        late.goes_on.set()
        await rising
        assert late.loaded == [FIRST, SECOND]

    asyncio.run(story())


def test_what_one_worker_refused_the_others_forget_and_nobody_who_comes_loads_it(tmp_path: Path) -> None:
    async def story() -> None:
        crew, late = Crew(), Slow()
        late.goes_on.set()
        body = OverWorkers("shop", crew, TableMap(tmp_path / "map"), Sums([in_memory()]), Units())  # type: ignore[arg-type]
        body.follow(FIRST, None)
        await body.prepare(SECOND)
        await body.forget()
        assert crew.told == [Prepare(number=1, routing=SECOND), Forget(number=1, service="shop")]
        await body.bring_up(late)  # type: ignore[arg-type]
        assert late.loaded == [FIRST]

    asyncio.run(story())


def test_an_order_is_being_prepared_until_it_is_in_force_or_forgotten(tmp_path: Path) -> None:
    async def story() -> None:
        body = OverWorkers("shop", Crew(), TableMap(tmp_path / "map"), Sums([in_memory()]), Units())  # type: ignore[arg-type]
        told = [body.preparing]
        await body.prepare(SECOND)
        told.append(body.preparing)
        await body.forget()
        told.append(body.preparing)
        await body.prepare(SECOND)
        told.append(body.preparing)
        body.follow(SECOND, None)
        told.append(body.preparing)
        assert told == [False, True, False, True, False]

    asyncio.run(story())
