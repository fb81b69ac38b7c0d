"""The upkeep of prediction logs by their policy: merged, and what is beyond its retention deleted and told.

Deleting goes: out of the log by a rename, then the fact, then the bytes, then the labels. A crash between any two is
repaired by the next run: what was renamed is told (once, by its name) and removed, and labels go up to the first pane
that is there. Then goes what lies beside the log (`beside_log`).
"""

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.prediction_log.files import Sealed, sealed
from flyball.adapters.prediction_log.labels import BOOK, SqliteLabels
from flyball.adapters.prediction_log.upkeep import Over, Upkeep
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger, recorder
from flyball.app.wiring.loop.beside_log import delete, examples_over, repairs_beyond
from flyball.core.facts.storage import Deleted, StorageCollected
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger
from flyball.core.record import Record
from flyball.core.service import Service

FIRST_S, EVERY_S = 60.0, 600.0  # of a controller
_PER_FACT = 500


class Kept(Record):
    """What was done to one log, or would be."""

    service: str
    merged: int  # new folders
    removed: int  # folders that are in merged ones by now
    deleted: tuple[str, ...]  # folders beyond the retention
    beside: tuple[str, ...]  # places of example rows and repairs beyond it
    bytes: int  # of both


def due(home: Home, service: Service, ledger: Ledger | None) -> Kept:
    """What retention would delete now; nothing is changed. `ledger`: None: there is none yet."""
    name, retention_s = service.metadata.name, service.serving.log.retention_s
    upkeep = Upkeep(home.telemetry(name), now=_now())
    found = upkeep.due(retention_s) if retention_s is not None else []
    size = sum(file.stat().st_size for each in found for file in each.path.iterdir())
    names = tuple(each.path.name for each in found)
    beside = _beside(home, service, ledger, left=sealed(home.telemetry(name))[len(found) :])
    size += sum(each.size for each in beside)
    places = tuple(each.name for each in beside)
    return Kept(service=name, merged=0, removed=0, deleted=names, beside=places, bytes=size)


def keep(home: Home, service: Service, ledger: Ledger, *, stopping: Callable[[], bool] = lambda: False) -> Kept:
    """One upkeep of the log of one service. Raises: Conflict: another runs. OSError."""
    name, policy = service.metadata.name, service.serving.log
    folder = home.telemetry(name)
    if not folder.is_dir():
        beside = _beside(home, service, ledger, left=())  # example rows may be there without it
        delete(home, name, ledger, beside, retention_s=policy.retention_s or 0.0)
        size = sum(each.size for each in beside)
        return Kept(
            service=name, merged=0, removed=0, deleted=(), beside=tuple(each.name for each in beside), bytes=size
        )
    upkeep = Upkeep(folder, now=_now())
    with upkeep.alone():
        removed = upkeep.sweep()
        over = upkeep.expire(policy.retention_s) if policy.retention_s is not None else []
        if over:
            _tell(ledger, name, over, policy.retention_s or 0.0)
            upkeep.remove(over)
        there = sealed(folder)
        if policy.retention_s is not None and there and (folder / BOOK).exists():
            with closing(SqliteLabels(folder / BOOK)) as book:
                book.forget(there[0].first)
        beside = _beside(home, service, ledger, left=there)
        delete(home, name, ledger, beside, retention_s=policy.retention_s or 0.0)
        merged = upkeep.merge(policy.compact_rows, stopping=stopping)
    return Kept(
        service=name,
        merged=merged,
        removed=removed,
        deleted=tuple(each.name for each in over),
        beside=tuple(each.name for each in beside),
        bytes=sum(each.size for each in over) + sum(each.size for each in beside),
    )


def _beside(home: Home, service: Service, ledger: Ledger | None, *, left: Sequence[Sealed]) -> list[Deleted]:
    """What lies beside the log and is beyond its retention, once `left` is all there is of the log."""
    name, retention_s = service.metadata.name, service.serving.log.retention_s
    if retention_s is None:
        return []
    examples = examples_over(home, name, ledger, retention_s=retention_s, now=_now())
    return examples + repairs_beyond(home, name, left, retention_s=retention_s, now=_now())


def keep_all(files: Sequence[Path], home: Home, ledger: Ledger, stopping: threading.Event) -> None:
    """Until told to stop, by the declarations as they are then: a thread of the controller. What fails is told once and
    tried again at the next time."""
    told: dict[Path, str] = {}
    wait_s = FIRST_S
    while not stopping.wait(wait_s):
        wait_s = EVERY_S
        for file in files:
            try:
                keep(home, load(file).service, ledger, stopping=stopping.is_set)
                told.pop(file, None)
            except Exception as error:  # a fault of ours must not end the controller's other threads
                if told.get(file) != str(error):
                    sys.stderr.write(f"controller: {file}: its log cannot be tidied up now: {error}\n")
                told[file] = str(error)


def _tell(ledger: Ledger, service: str, over: list[Over], retention_s: float) -> None:
    for first in range(0, len(over), _PER_FACT):
        part = over[first : first + _PER_FACT]
        name = f"retention:{service}:{part[0].name}:{part[-1].name}"
        fact = StorageCollected(
            service=ServiceName(service),
            sweep=name,
            deleted=tuple(
                Deleted(kind="predictions", name=f"telemetry/{service}/{each.name}", size=each.size) for each in part
            ),
            size=sum(each.size for each in part),
            why=f"days of the prediction log that ended more than {retention_s / 86_400:g} days ago",
        )
        ledger.append([fact], ids=[name])


def tidy(home: Home, services: Sequence[Service], *, dry_run: bool) -> list[Kept]:
    """As `flyball predictions tidy` asks for it. Raises: Conflict: another upkeep of one of these logs runs."""
    if dry_run and not home.has_ledger:
        return [due(home, service, None) for service in services]
    if dry_run:
        with closing(open_ledger(home, told=False)) as there:
            return [due(home, service, there) for service in services]
    with closing(recorder(home.made())) as ledger:
        return [keep(home, service, ledger) for service in services]


def _now() -> float:
    return SystemClock().now().timestamp()
