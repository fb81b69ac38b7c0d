"""What a fault of a drill is: how it is made, what tells of it, when it ends; and the stage on which it is made."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from flyball.app.drills.clients import KEYS, Bend, Clients, Row
from flyball.core.contract import DataContract
from flyball.core.drill_lease import DrillLease


@dataclass(kw_only=True)
class Stage:
    """A running service, and the hands that a fault may use."""

    service: str
    contract: DataContract
    label: str  # column
    fallback: bool  # somebody is declared to answer where the model does not
    clients: Clients
    lock_ledger: Callable[[], AbstractAsyncContextManager[None]]  # nobody can write to it inside
    workers: Callable[[], dict[int, str]]  # processes that answer: id -> name
    bad_key: Callable[[], str]  # text of a key that is no longer valid, or never was
    offer: Callable[[dict[str, Any]], Awaitable[None]]  # train a release so configured, and see it take live traffic
    shift: Callable[[Row, Any], tuple[Row, Any]]  # a row, and its label, as they would be in another region
    why_not: Callable[[], Mapping[str, str]]  # faults that cannot be made here now, and why
    aim: Callable[[DrillLease], DrillLease]  # the word as whoever strikes here has to read it
    found: dict[str, float] = field(default_factory=dict)


Injecting = Callable[[Stage, float], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class DrillFault:
    """One fault."""

    name: str
    what: str  # in a sentence
    share: float  # of the requests (or rows) where nobody says otherwise, on the drill's own service
    told_by: tuple[str, ...]  # how the keys of changes begin by which the product may tell of it
    inject: Injecting
    # `seen`: only the outside can end it, so the drill ends it once it was seen; `recovered`: it stays until the
    # product has dealt with it
    ends: Literal["seen", "recovered"] = "seen"
    injected: Literal["real", "port"] = "real"
    running_s: float | None = None  # it hits more than rows of the drill: on a running service so long at most
    prepare: Callable[[Stage], Awaitable[None]] | None = None  # before the clock starts

    @property
    def tells(self) -> tuple[str, ...]:
        """`told_by`, and an incident of the same cause as a sign of health."""
        incidents = (f"incident/{each.removeprefix('health/')}" for each in self.told_by if each.startswith("health/"))
        return tuple(dict.fromkeys((*self.told_by, *incidents)))


def of_requests(bend: Callable[[Stage], Bend]) -> Injecting:
    """A fault that the drill's own requests carry."""

    @asynccontextmanager
    async def inject(stage: Stage, share: float) -> AsyncIterator[None]:
        stage.clients.bend, stage.clients.share = bend(stage), share
        try:
            yield
        finally:
            stage.clients.bend, stage.clients.share = None, 0.0

    return inject


@asynccontextmanager
async def by_the_word(stage: Stage, _: float) -> AsyncIterator[None]:
    """A fault that whoever reads the drill's word makes by himself; beside other clients, of rows of its own."""
    if stage.clients.honest:
        yield
        return
    stage.clients.bend = Bend()
    try:
        yield
    finally:
        stage.clients.bend, stage.clients.keys = None, KEYS
