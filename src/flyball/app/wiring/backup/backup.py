"""Lay a home aside while it is in use: the ledger as of one moment, and after it all that its facts can name.

Theory of operation. Content (releases, snapshots, blobs, experiments) is written before the fact that names it, and
never changes. So the ledger is copied first and the content after it: whatever the copy names is there. The signed
head is copied before the ledger, so it is never newer than what it signs. SQLite files are copied by SQLite's own
backup; the segments of the prediction log as they are, where a torn end is read as after a power cut. What can be
computed again (`cache/`, `work/`, `steps/`, `locks/`) is left out, and what belongs to running processes (`run/`).
A backup that was killed has no manifest and is none.
"""

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.sqlite_copy import copied, is_sqlite
from flyball.app.home import Home
from flyball.app.wiring.backup import manifest as listing
from flyball.app.wiring.backup.on_record import put_on_record
from flyball.app.wiring.ledger import checkpoint_path, open_ledger
from flyball.app.wiring.ledger_place import place_of
from flyball.app.wiring.stores.sweep_lock import no_sweep
from flyball.core.clock import timestamp
from flyball.core.errors import BadInput, Fault, NotFound, Unavailable
from flyball.core.record import Record

LEFT_OUT = frozenset({"cache", "work", "steps", "locks", "run", "drills", "gc.lock", "controller.json"})
BESIDE = ("-wal", "-shm", "-journal", ".lock", ".new", ".tmp")  # of running processes, never of a file that rests


class Backup(Record):
    """What `flyball backup` prints."""

    folder: str
    entries: int  # of the ledger
    newest_at: str
    made_at: str  # RFC 3339, UTC
    files: int
    size: int  # bytes
    database: str = ""  # where the ledger stands, if not in the home: lay that aside with its own tools


def backup(home: Home, out: Path, *, on_file: Callable[[str], None] = lambda _: None, on_record: bool = True) -> Backup:
    """`on_record`: its services say so on the ledger; not of a backup that is deleted again.

    Raises: NotFound: no ledger. BadInput: the folder is not empty. Unavailable: something cannot be copied.
    Conflict: a sweep runs."""
    if not home.has_ledger:
        raise NotFound(f"no ledger in {home.root}", hint="name the folder by --home or FLYBALL_HOME")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        fault = Fault(where="command line", path="--out", expected="a new or empty folder", found=str(out))
        raise BadInput("A backup needs a folder of its own.", (fault,))
    try:
        with no_sweep(home):
            made = _made(home, out, on_file)
    except OSError as error:
        raise Unavailable(f"{error.filename or out}: {error.strerror}", hint="look at disk and space") from error
    if on_record:
        put_on_record(home, made.folder, listing.read(out))
    return made


def _made(home: Home, out: Path, on_file: Callable[[str], None]) -> Backup:
    out.mkdir(parents=True, exist_ok=True, mode=0o700)  # it holds the signing key
    files: dict[str, listing.Kept] = {}

    def keep(path: Path) -> None:
        name = path.relative_to(home.root).as_posix()
        to = out / name
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        on_file(name)
        if is_sqlite(path):
            copied(path, to)
        else:
            shutil.copy2(path, to)
        files[name] = listing.of_file(to)

    head = checkpoint_path(home)
    if head.exists():
        keep(head)
    if home.database is None:
        keep(home.ledger)
    else:
        keep(home.ledger_url)
    vanished = True
    while vanished:  # what took the place of a file that is gone is found by another look
        vanished = False
        for path in _files(home.root):
            if path.relative_to(home.root).as_posix() in files:
                continue
            try:
                keep(path)
            except FileNotFoundError:
                # the log merges its small files while we read, and a spool empties; content is never deleted here
                if not any(path.is_relative_to(home.root / name) for name in ("telemetry", "gateway")):
                    raise
                vanished = True
    entries, newest = _ends(home if home.database is not None else Home(out))
    made = listing.Manifest(
        format=listing.FORMAT,
        made_at=timestamp(SystemClock().now()),
        entries=entries,
        newest_at=newest,
        files=files,
        database=place_of(home) if home.database is not None else "",
    )
    (out / listing.NAME).write_bytes(msgspec.json.encode(made))
    size = sum(each.size for each in files.values())
    return Backup(
        folder=str(out.absolute()),
        entries=entries,
        newest_at=newest,
        made_at=made.made_at,
        files=len(files),
        size=size,
        database=made.database,
    )


def _files(root: Path) -> list[Path]:
    """What is laid aside; sockets, links and files of running processes are not."""
    found = []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        if here == root:
            folders[:] = [name for name in folders if name not in LEFT_OUT]
        for name in sorted(names):
            path = here / name
            if name.endswith(BESIDE) or name == "lock" or (here == root and name in LEFT_OUT):
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                found.append(path)
    return found


def _ends(home: Home) -> tuple[int, str]:
    """How many entries a ledger has, and when the newest was written."""
    with closing(open_ledger(home)) as ledger:
        size = ledger.tip().size
        newest = [entry.at for entry in ledger.read(size - 1)] if size else []
    return size, newest[-1] if newest else ""
