"""The verb of the registry: record facts, and sign where the ledger ends within a second, without slowing anyone.

Theory of operation. Whoever appends wakes a thread; the thread signs the newest head and replaces the file beside the
database, at most twice a second. Processes that share a ledger take turns by a file lock, and read the tip while they
hold it, so the file only grows. A head is signed only if it extends the one in the file: the signed frontier, extended
by the leaves that came since, must give the root of the tip. So a rewritten history is never signed over; the old head
stays, and `verify` finds the difference.
"""

import fcntl
import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self

from flyball.core.errors import FlyballError, LedgerBroken
from flyball.core.events import AnyFact
from flyball.core.ledger import Claimed, Command, Entry, Head, Lease, Ledger, Message, Tip
from flyball.registry.checkpoint import RECENT, Checkpoint, Signer, Verifier, parse, sign
from flyball.stats.merkle import Frontier

INTERVAL_S = 0.5  # between two signatures; the promise is one second from commit to file
_LOG = logging.getLogger(__name__)


class Store(Ledger, Protocol):
    """A ledger that also tells its tip and its leaves."""

    def tip(self) -> Tip: ...

    def hashes(self, after: int, upto: int) -> Iterator[bytes]: ...

    def pending(self, limit: int = 100) -> tuple[Message, ...]: ...

    def ack(self, ids: Sequence[str]) -> None: ...

    def close(self) -> None: ...


class Key(Signer, Protocol):
    @property
    def public(self) -> Verifier: ...


class Recorder:
    """A ledger whose newest head is always signed in a file. Close it, or use it in a `with`."""

    def __init__(self, store: Store, key: Key, checkpoint: Path) -> None:
        self._store, self._key, self._path = store, key, checkpoint
        self._changed, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep_signed, name="ledger-checkpoint", daemon=True)
        self._thread.start()

    def append(
        self,
        facts: Sequence[AnyFact],
        *,
        expected: int | None = None,
        ids: Sequence[str] | None = None,
        fence: Lease | None = None,
        outbox: Sequence[Message] = (),
        commands: Sequence[Command] = (),
        finished: Sequence[str] = (),
    ) -> tuple[Entry, ...]:
        """See the port."""
        entries = self._store.append(
            facts, expected=expected, ids=ids, fence=fence, outbox=outbox, commands=commands, finished=finished
        )
        if entries:
            self._changed.set()
        return entries

    def read(self, after: int = 0, *, subject: str | None = None) -> Iterator[Entry]:
        return self._store.read(after, subject=subject)

    def head(self) -> Head:
        return self._store.head()

    def lease(self, name: str, owner: str, *, ttl_s: float) -> Lease | None:
        return self._store.lease(name, owner, ttl_s=ttl_s)

    def release(self, lease: Lease) -> None:
        self._store.release(lease)

    def claim(self, subject: str, owner: str, *, ttl_s: float) -> Claimed | None:
        return self._store.claim(subject, owner, ttl_s=ttl_s)

    def postpone(self, key: str, *, delay_s: float, error: str, failed: bool = True) -> None:
        self._store.postpone(key, delay_s=delay_s, error=error, failed=failed)

    def pending(self, limit: int = 100) -> tuple[Message, ...]:
        """Messages of the outbox that nobody acknowledged, oldest first."""
        return self._store.pending(limit)

    def ack(self, ids: Sequence[str]) -> None:
        """These messages have arrived."""
        self._store.ack(ids)

    def close(self) -> None:
        """Sign the last head, stop the thread, close the store. Idempotent."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._changed.set()
            self._thread.join()
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep_signed(self) -> None:
        said = ""
        while True:
            self._changed.wait()
            self._changed.clear()
            last = self._stopping.is_set()  # asked after the clear: a close that comes later sets it again
            said = self._sign(said)
            if last:
                return
            self._stopping.wait(INTERVAL_S)

    def _sign(self, said: str) -> str:
        """Sign the head; returns what went wrong, which is logged once until it changes."""
        try:
            write_checkpoint(self._store, self._key, self._path)
        except (FlyballError, OSError) as error:  # the facts are safe; only their anchor is late
            if str(error) != said:
                _LOG.warning("the head of the ledger could not be signed: %s", error)
            self._changed.set()  # try again after the interval
            return str(error)
        return ""


def write_checkpoint(store: Store, key: Key, path: Path) -> None:
    """Sign the newest head into `path`, unless the file has a newer one.

    Raises: LedgerBroken: the ledger does not continue the head in the file, or that head is not ours.
    """
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed, also by a kill
        tip = store.tip()
        before = read_checkpoint(path)
        if before is not None:
            _check_extends(store, tip, before, key.public)
        if tip.size and (before is None or before.size < tip.size):
            newest = list(store.hashes(max(0, tip.size - RECENT), tip.size))
            replace_file(path, sign(Frontier(size=tip.size, hashes=tip.frontier), key, leaves=newest))


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The head in a file, None without one. Raises: BadInput: the file holds something else."""
    try:
        return parse(path.read_text(encoding="utf-8", errors="replace"), where=str(path))
    except FileNotFoundError:
        return None


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all, also through a crash."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _check_extends(store: Store, tip: Tip, before: Checkpoint, key: Verifier) -> None:
    if not before.is_signed_by(key):
        raise LedgerBroken("the head beside the ledger is not signed by this home's key", hint="flyball ledger verify")
    if tip.size < before.size:
        raise LedgerBroken(
            f"the ledger has {tip.size} entries, its signed head {before.size}", hint="flyball ledger verify"
        )
    grown = Frontier(size=before.size, hashes=before.frontier).extend(store.hashes(before.size, tip.size))
    if grown.size != tip.size or grown.hashes != tip.frontier:
        raise LedgerBroken(
            f"the ledger does not continue its signed head of {before.size} entries", hint="flyball ledger verify"
        )
