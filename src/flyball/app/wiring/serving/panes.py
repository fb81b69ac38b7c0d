"""Where the rows of one service go: the stream of a gateway of one process, or a worker's own panes."""

import contextlib
import fcntl
import os
import threading
from collections.abc import Collection
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.prediction_log.disk import Disk
from flyball.adapters.prediction_log.labels import SqliteLabels
from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.adapters.prediction_log.worker_panes import WORKERS, NoLabels, WorkerPanes, worker_folder
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.wiring.serving.drilled import disk_of
from flyball.app.wiring.serving.journal import JOURNAL
from flyball.core.errors import Unavailable
from flyball.core.log_tables import LogTables, log_tables
from flyball.serving.counting.accounting import Accounting
from flyball.serving.redact import personal
from flyball.serving.serve.answering.capture import Capture
from flyball.serving.serve.traced import TracedCapture
from flyball.serving.serve.workers.counters import mapped_slots, set_aside

LEAVE_S, LOOK_S = 30.0, 0.05  # for a worker of an earlier gateway to end; between looks
COUNTERS, UNITS, MAP = "counters.bin", "units.bin", "routing.map"  # in the gateway's folder of a service


def complain(message: str) -> None:
    """A line for the operator."""
    JOURNAL.complain(message)


def tables_of(declared: Declared) -> LogTables:
    """The columns of a service's log."""
    service, contract = declared.service, declared.contract
    label = service.data.label
    columns = tuple(column for column in contract.columns if column.name != label)
    return log_tables(contract, label=label, task=service.experiment.task, hidden=personal(columns))


def capture_of(
    declared: Declared,
    home: Home,
    accounting: Accounting,
    labels: SqliteLabels | None,
    *,
    worker: int | None,
    traced: bool = False,
) -> Capture:
    """The writer. `worker`: its number; None: the only process, which gives the labels to its panes as well."""
    name = declared.service.metadata.name
    folder = home.telemetry(name)
    policy, pane_s = declared.service.serving.log, declared.service.monitor.pane_s
    place = folder if worker is None else worker_folder(folder, worker)
    log = SegmentLog(place, name, tables_of(declared), fsync=policy.fsync, disk=disk_of(name))
    if policy.fsync != "os":
        _names_synced(place, home)
    book = NoLabels() if worker is not None or labels is None else labels
    kind = TracedCapture if traced else Capture
    return kind(log, book, accounting, SystemClock(), pane_s=pane_s, complain=complain, policy=policy)


def _names_synced(place: Path, home: Home) -> None:
    """The names that lead to a log survive a power cut, whoever made those folders: label book, locks, earlier lives.

    The name of the home too, unless the folder it is in is not ours to read. Raises: OSError.
    """
    real = Disk()
    for folder in (place, *place.parents):
        if folder != home.root or os.access(folder.parent, os.R_OK):
            real.sync_folder(folder.parent)
        if folder == home.root:
            return


def book_of(declared: Declared, home: Home) -> SqliteLabels:
    """The label book of a service: one, however many workers write into it. Raises: Unavailable."""
    service = declared.service
    path = home.telemetry(service.metadata.name) / "labels.db"
    return SqliteLabels(path, synced=service.serving.log.fsync == "always")


def taking_over(declared: Declared, home: Home, labels: SqliteLabels) -> WorkerPanes:
    """Who makes one stream of the workers' panes."""
    name = declared.service.metadata.name
    fsync = declared.service.serving.log.fsync
    return WorkerPanes(home.telemetry(name), name, tables_of(declared), labels, fsync=fsync)


def only_one(home: Home, service: str) -> int:
    """An open file whose lock says that this process writes the service's log and counters; death gives it back.

    Raises: Unavailable: another gateway has it.
    """
    folder = home.gateway(service)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise Unavailable(f"another gateway of this home serves {service}", hint="use another --home") from error
    return file


def held(home: Home, service: str, worker: int) -> int:
    """An open file whose lock says that a process is this worker; death gives it back. One that drains is waited for.

    Raises: Unavailable: it is still there after `LEAVE_S`.
    """
    folder = home.gateway(service)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(folder / f"worker-{worker}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    pause = threading.Event()
    for _ in range(round(LEAVE_S / LOOK_S)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pause.wait(LOOK_S)
        else:
            return file
    os.close(file)
    raise Unavailable(f"worker {worker} of an earlier gateway still writes the log of {service}")


def upgraded(home: Home, service: str) -> None:
    """What another version of ours left mapped is not read as ours. Before anybody maps it.

    Raises: OSError.
    """
    folder = home.gateway(service)
    for name in (COUNTERS, UNITS):
        if (aside := set_aside(folder / name)) is not None:
            complain(
                f"{service}: {name} is another version's and was set aside as {aside.name}: counts begin at zero, and "
                "the running step of a rollout and its tests begin anew"
            )


def repaired(declared: Declared, home: Home, *, workers: Collection[int] = (), living: Collection[int] = ()) -> None:
    """What an earlier life of this gateway left, with another number of workers, becomes part of the stream.

    `workers`: numbers of those that there will be; none: one process, which repairs its own stream. `living`: numbers
    of orphans, whose log is their own. Before any worker begins.
    """
    name = declared.service.metadata.name
    folder = home.telemetry(name)
    left = sorted(int(path.name) for path in (folder / WORKERS).iterdir()) if (folder / WORKERS).is_dir() else []
    if not workers and not left:
        return
    left = [number for number in left if number not in living]
    for number in left:  # where the gateway before was killed, its workers may still finish what they have
        os.close(held(home, name, number))
    slots = mapped_slots(home.gateway(name) / COUNTERS, max([-1, *workers, *left]) + 2)
    with contextlib.closing(book_of(declared, home)) as labels:
        # first the stream itself: an open pane in it has an index that nothing else may take
        _seal_all(capture_of(declared, home, Accounting(slots[0]), labels, worker=None))
        for number in left:
            if number not in workers:
                _seal_all(capture_of(declared, home, Accounting(slots[number + 1]), None, worker=number))
        taking_over(declared, home, labels).take_over()


def _seal_all(capture: Capture) -> None:
    capture.start()
    capture.stop()
