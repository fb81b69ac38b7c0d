"""Process: the gateway of one or more services (`flyball serve`). It needs the home; it does not need the ledger."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from flyball.adapters.clock import SystemClock
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.wiring.health_seen import health_seen
from flyball.app.wiring.secret import secret_of
from flyball.app.wiring.serving.drilled import struck
from flyball.app.wiring.serving.newest_budgets import NewestBudgets
from flyball.app.wiring.serving.newest_windows import NewestWindows
from flyball.app.wiring.serving.observed import observed, tracing_of
from flyball.app.wiring.serving.panes import (
    COUNTERS,
    UNITS,
    book_of,
    capture_of,
    complain,
    only_one,
    repaired,
    upgraded,
)
from flyball.app.wiring.serving.refused import refusals_of
from flyball.app.wiring.serving.release_start import ReleaseStart
from flyball.app.wiring.serving.secured import Secured
from flyball.app.wiring.serving.together import circuits_of, rates_of, shares_of
from flyball.contracts.rows.compiled import CompiledRows
from flyball.contracts.rows.reader import body_reader
from flyball.core.contract import DataContract
from flyball.core.control import OWNER
from flyball.core.errors import FlyballError
from flyball.core.facts.fallback import FallbackExercised
from flyball.core.ids import Epoch, ReleaseRoot, ServiceName
from flyball.core.ports import Judge, Releases
from flyball.core.promised import latency_limits_ms
from flyball.core.routing import Routing
from flyball.serving.access.token_bucket import Buckets
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import Units
from flyball.serving.gateway import Gateway
from flyball.serving.identity import PredictionIds
from flyball.serving.protocols.labels import LabelRule
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.redact import hashed, personal, redactor
from flyball.serving.resilience.answer_cache import AnswerCache
from flyball.serving.resilience.circuits import Circuits
from flyball.serving.resilience.shared_out import shared_out
from flyball.serving.resilience.wear import spread
from flyball.serving.serve.answering.arm_renewal import ArmRenewal
from flyball.serving.serve.answering.arms import Arms
from flyball.serving.serve.answering.duty import Duty
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.http.asgi import Door
from flyball.serving.serve.http.bounds import divided
from flyball.serving.serve.http.server import Beside, serve
from flyball.serving.serve.http.tls import Certificates
from flyball.serving.serve.http.turns import Turns
from flyball.serving.serve.traced import TracedGateway, TracedTally
from flyball.serving.serve.workers.body import OneProcess
from flyball.serving.serve.workers.control import Control
from flyball.serving.serve.workers.counters import mapped_slot, mapped_units
from flyball.serving.serve.workers.spool import put_exercised
from flyball.serving.serve.workers.supervisor import Supervisor

LOADER = "flyball.adapters.models.predictor:load"


async def serve_secured(
    secured: Secured,
    door: Door,
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    certificates: Certificates | None,
    services: Sequence[str],
    beside: Beside | None = None,
    turns: tuple[Turns, int] | None = None,
    shared: Path | None = None,
) -> None:
    """`serve` with what the gateway file asks for around the door. `shared`: where several workers count together."""
    clock = SystemClock()
    buckets = Buckets(rates_of(shared))
    guard = secured.guard(door, clock, complain, services, buckets, own=door.own, refusals=door.refusals)
    tracing = tracing_of(secured, complain)
    around = observed(secured, guard or door, tracing, clock, services)
    watch = asyncio.create_task(secured.watch(guard, certificates, complain))
    try:
        bounds = divided(secured.bounds, len(turns[0]) if turns is not None else 1)
        tls = certificates.context if certificates else None
        guarded = None if around is door else around  # the door alone lets most requests go the short way
        await serve(door, listener, ready, guarded=guarded, bounds=bounds, tls=tls, beside=beside, turns=turns)
    finally:
        watch.cancel()
        if tracing is not None:
            await asyncio.to_thread(tracing.close)


def assemble(
    services: Sequence[Declared],
    home: Home,
    releases: Releases,
    judge: Judge,
    *,
    sockets: Path,
    loader: str = LOADER,
    traced: bool = False,
) -> Door:
    """The gateway process put together; nothing runs before the door's `start`. `traced`: requests may be."""
    clock = SystemClock()
    secret = secret_of(home)
    boot = os.urandom(4)
    served: dict[str, Served] = {}
    bodies: dict[str, OneProcess] = {}
    locks: list[int] = []
    supervisor: list[Supervisor] = []
    control: list[Control] = []

    async def start() -> None:
        for declared in services:
            locks.append(only_one(home, declared.service.metadata.name))
            await asyncio.to_thread(upgraded, home, declared.service.metadata.name)
            await asyncio.to_thread(repaired, declared, home)
            units = mapped_units(home.gateway(declared.service.metadata.name) / UNITS)
            one = served_of(declared, home, releases, clock, secret, boot, sockets, loader, units=units, traced=traced)
            served[one.name] = one
            bodies[one.name] = OneProcess(one, units)
            await asyncio.to_thread(one.capture.start)
        folders = {name: home.gateway(name) for name in served}
        supervisor.append(Supervisor(bodies, folders, judge, clock, complain))
        await supervisor[0].start(lambda name: from_ledger(home, name))
        control.append(Control(home.socket, supervisor[0], os.environ.get(OWNER, "")))
        await control[0].start()

    async def stop() -> None:
        for door in control:
            await door.stop()
        for watch in supervisor:
            await watch.stop()
        for one in served.values():
            await one.close()
        for lock in locks:
            os.close(lock)

    prefix = f"req-{boot.hex()}-"
    door = Door(served, clock, secret=secret, request_prefix=prefix, start=start, stop=stop, complain=complain)
    door.refusals = refusals_of(home, [each.service.metadata.name for each in services])
    door.windows, door.budgets = NewestWindows(home, complain), NewestBudgets(home, complain)
    door.health.healths = partial(health_seen, home)
    return door


def from_ledger(home: Home, service: str) -> Routing | None:
    """Epoch 0: the registry's champion takes everything. None: no ledger, or no champion on it."""
    from flyball.app.people import states_of
    from flyball.app.wiring.ledger import open_ledger

    if not home.has_ledger:
        return None
    try:
        ledger = open_ledger(home)
    except FlyballError as error:
        complain(f"{service}: the ledger cannot be read: {error}")
        return None
    with contextlib.closing(ledger):
        state = states_of(ledger).get(service)
    if state is None or state.champion is None:
        return None
    return Routing(
        service=ServiceName(service),
        epoch=Epoch(0),
        champion=ReleaseRoot(state.champion),
        previous=ReleaseRoot(state.previous) if state.previous else None,
    )


def served_of(
    declared: Declared,
    home: Home,
    releases: Releases,
    clock: SystemClock,
    secret: bytes,
    boot: bytes,
    sockets: Path,
    loader: str,
    *,
    units: Units,
    worker: int | None = None,
    workers: int = 1,
    traced: bool = False,
    shared: Path | None = None,
) -> Served:
    """One service in this process. `worker`: its number among several (`workers`); None: it is the only one.
    `shared`: where the workers keep what they count together."""
    service, contract = declared.service, declared.contract
    service = replace(service, serving=shared_out(service.serving, workers))
    name, label = service.metadata.name, service.data.label
    columns = tuple(column for column in contract.columns if column.name != label)
    kinds = {column.name: column.kind for column in columns}
    hidden = personal(columns)
    key = service.data.key
    slot = mapped_slot(home.gateway(name) / COUNTERS, 0 if worker is None else worker + 1, units)
    accounting = Accounting(slot)
    core = (TracedGateway if traced else Gateway)(
        service,
        CompiledRows(contract, label=label),
        accounting,
        PredictionIds(name, secret, boot),
        redactor([column.name for column in columns], hidden, secret),
        hide_unit=(lambda unit: hashed(unit, secret) or "") if key in hidden else None,
        kinds=kinds,
        cache=AnswerCache(service.serving.cache, kinds, os.urandom(32)) if service.serving.cache.max_rows else None,
        workers=workers,
        shares=shares_of(service, shared),
    )
    labels = book_of(declared, home)
    capture = capture_of(declared, home, accounting, labels, worker=worker, traced=traced)
    deadline_s = service.serving.deadline_ms / 1000.0
    answered = tuple(column for column in contract.columns if column.name == label)
    signature = Signature(
        service=name, task=service.experiment.task, columns=columns, label=answered[0].kind if answered else "number"
    )
    alone = DataContract(id=contract.id, version=contract.version, table=contract.table, columns=answered)
    label_rule = LabelRule(label, CompiledRows(alone)) if answered else None
    arms = Arms(
        struck(ReleaseStart(releases, clock, sockets, loader, service), name, clock),
        clock,
        Circuits(service.serving.breaker, deadline_s=deadline_s, shelf=circuits_of(name, shared)),
    )
    bounds = spread(service.serving.recycle, worker or 0, workers)
    renewal = ArmRenewal(arms, bounds, clock, Complaints(complain))
    reader = body_reader(contract, label=label)
    served = Served(core, arms, capture, labels, clock, signature, label_rule, reader, renewal)
    served.exercising.duty = Duty(None if shared is None else shared / f"exercise-{name}")
    served.exercising.leave = partial(_leave, home.gateway(name) / "spool")
    labels.on_first = served.label_tally.first
    if traced:
        served.tally = TracedTally(latency_limits_ms(service))
    return served


def _leave(spool: Path, finding: FallbackExercised) -> None:
    try:
        put_exercised(spool, finding)
    except OSError as error:
        complain(f"{finding.service}: what the exercise of {finding.link} found cannot be written: {error}")
