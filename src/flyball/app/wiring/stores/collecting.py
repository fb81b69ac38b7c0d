"""The sweep of a home: gather, plan, mark or delete, tell the ledger (`flyball gc`).

A sweep takes the lock `gc.lock` and trusts only a ledger that verifies: one that was cut would make the newest releases
look forgotten. What it means to delete is written down first (`gc.json`). Points at which a crash may come, and what
repairs it; in each case it is enough to run `gc` again:

A. before `gc.json` is written: nothing has happened.
B. between two deletions: the next sweep reads the list, asks of each thing again whether something reaches it by now,
   and goes on. A folder leaves its place by one rename, so nothing is ever half there; `trash/` is emptied only when
   the fact is written, and what became wanted comes back from there.
C. before the fact: the next sweep finds everything on its list gone, and writes it, once, by the sweep's id.
D. before the list is removed: as C; the ledger leaves out the fact that it has.

Others write to the ledger while a sweep deletes. It reads on before each rename and after it: what a new fact makes
live is spared, or comes back. A hold takes the same lock as a sweep (`sweep_lock`), so that nobody is told that
something is held which is being deleted.
"""

import shutil
from contextlib import closing
from pathlib import Path

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.blobs import flush_folder, write_whole
from flyball.adapters.ids import TimeIds
from flyball.app.home import Home
from flyball.app.wiring.ledger import audit, ledger_of, open_ledger
from flyball.app.wiring.stores.drafts import remove_left
from flyball.app.wiring.stores.inventory import Inventory, used_within
from flyball.app.wiring.stores.sweep_lock import alone
from flyball.core.clock import Clock
from flyball.core.errors import LedgerBroken, NotFound
from flyball.core.facts.storage import Deleted, StorageCollected
from flyball.core.ids import Ids, ServiceName
from flyball.core.ledger import Ledger
from flyball.core.record import Record
from flyball.registry.holdings import Holdings
from flyball.registry.sweep import Judged, Stored, marks, plan, reach

PER_FACT = 500  # deleted things that one fact tells of
WHY = "nothing that is kept names them, and their grace is over"


class Sweep(Record):
    """The intent: what a sweep is deleting."""

    id: str
    items: tuple[Stored, ...]


class State(Record):
    """`gc.json`: what is marked, and the sweep that has not ended."""

    marked: dict[str, float] = {}  # place -> when, seconds since 1970
    sweep: Sweep | None = None


class Swept(Record):
    """What a sweep found and did."""

    judged: tuple[Judged, ...]
    deleted: tuple[Stored, ...] = ()  # also by an earlier sweep that was interrupted


def collect(home: Home, grace_s: float, *, dry_run: bool) -> Swept:
    """One sweep by the real clock; with `dry_run` nothing is changed.

    Raises: NotFound: no ledger. LedgerBroken: it does not verify. Conflict: another sweep runs.
    """
    if not home.has_ledger:
        raise NotFound(f"no ledger in {home.root}", hint="name the folder by --home or FLYBALL_HOME")
    clock = SystemClock()
    if dry_run:  # no head is signed either
        with closing(open_ledger(home)) as ledger:
            return Collector(home, ledger, clock, TimeIds(clock)).look(grace_s)
    with ledger_of(home) as signed:
        return Collector(home, signed, clock, TimeIds(clock)).sweep(grace_s)


class Picture:
    """What has to stay by the newest line of the ledger, and why. It grows with the ledger.

    Raises: LedgerBroken: the ledger does not verify, or knows of nothing.
    """

    def __init__(self, home: Home, ledger: Ledger, clock: Clock) -> None:
        verdict = audit(home)
        if not verdict.ok:
            raise LedgerBroken(f"nothing is deleted by a ledger that does not verify: {verdict.reason}")
        self._home, self._ledger, self._clock = home, ledger, clock
        self.holdings = Holdings()
        self._seq = 0
        self._read_on()
        if not self.holdings.services():
            raise LedgerBroken("nothing is deleted by an empty ledger: it knows of nothing that has to stay")
        self.look()

    def look(self) -> None:
        """Follow the documents anew: one that came back names others."""
        inventory = Inventory(self._home)
        roots = inventory.drafts() | self.holdings.roots(self._clock.now())
        reached = reach(roots, lambda name: self.holdings.needs(name) | inventory.documents(name))
        self.live = self.holdings.remembered() | reached

    def renew(self) -> None:
        """Read on. What is there from now on is looked at only where a fact is new."""
        if self._read_on():
            self.look()

    def wants(self, item: Stored) -> bool:
        return any(digest in self.live for digest in item.digests)

    def _read_on(self) -> bool:
        before = self._seq
        for entry in self._ledger.read(after=before):
            self.holdings.take(entry)
            self._seq = entry.seq
        return self._seq > before


class Collector:
    """Sweeps one home. Two never run at once."""

    def __init__(self, home: Home, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._home, self._ledger, self._clock, self._ids = home, ledger, clock, ids
        self._file = home.root / "gc.json"
        self._trash = home.root / "trash"

    def look(self, grace_s: float) -> Swept:
        """What a sweep would do now; nothing is changed. Raises: LedgerBroken."""
        return Swept(judged=self._judge(self._state(), grace_s))

    def sweep(self, grace_s: float) -> Swept:
        """Mark what nothing reaches, delete what an earlier sweep has marked for the whole grace.

        Raises: LedgerBroken: the ledger does not verify. Conflict: another sweep runs.
        """
        with alone(self._home):
            remove_left(self._home.work)
            deleted = self._finish(self._state(), grace_s)
            before = self._state()
            judged = self._judge(before, grace_s)
            doomed = tuple(each.item for each in judged if each.fate == "delete")
            sweep = Sweep(id=self._ids.new("gc"), items=doomed) if doomed else None
            self._write(State(marked=marks(judged, before.marked, now=self._now()), sweep=sweep))  # crash point A
            deleted += self._finish(self._state(), grace_s)
            return Swept(judged=judged, deleted=deleted)

    def _judge(self, state: State, grace_s: float) -> tuple[Judged, ...]:
        live = self._picture().live
        return plan(Inventory(self._home).items(), live, state.marked, now=self._now(), grace_s=grace_s)

    def _picture(self) -> Picture:
        return Picture(self._home, self._ledger, self._clock)

    def _finish(self, state: State, grace_s: float) -> tuple[Stored, ...]:
        """Delete what is on the list, unless something wants it by now; then the fact, then the list."""
        if state.sweep is None:
            shutil.rmtree(self._trash, ignore_errors=True)
            return ()
        items, picture = state.sweep.items, self._picture()
        for item in items:
            self._delete(item, picture, grace_s)  # crash point B
        self._bring_back(items, picture)
        gone = tuple(item for item in items if not (self._home.root / item.place).exists())
        self._tell(state.sweep.id, gone, picture.holdings)  # crash point C is before, D behind
        places = {item.place for item in gone}
        self._write(State(marked={place: at for place, at in state.marked.items() if place not in places}))
        shutil.rmtree(self._trash, ignore_errors=True)
        return gone

    def _delete(self, item: Stored, picture: Picture, grace_s: float) -> None:
        """Out of its place, unless something wants it a moment before or a moment after."""
        path = self._home.root / item.place
        picture.renew()
        if not path.exists() or picture.wants(item) or used_within(path, now=self._now(), grace_s=grace_s):
            return
        self._trash.mkdir(exist_ok=True)
        path.rename(self._thrown(item))
        flush_folder(path.parent)
        picture.renew()
        if picture.wants(item):
            self._restore(item)
            picture.look()

    def _bring_back(self, items: tuple[Stored, ...], picture: Picture) -> None:
        """What became wanted after it had gone, and what that needs in turn: its documents are read again."""
        picture.renew()
        while back := [item for item in items if picture.wants(item) and self._thrown(item).exists()]:
            for item in back:
                self._restore(item)
            picture.look()

    def _restore(self, item: Stored) -> None:
        path, thrown = self._home.root / item.place, self._thrown(item)
        if path.exists():  # stored again meanwhile
            shutil.rmtree(thrown) if thrown.is_dir() else thrown.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        thrown.rename(path)
        flush_folder(path.parent)

    def _thrown(self, item: Stored) -> Path:
        return self._trash / item.place.replace("/", "-")

    def _tell(self, sweep: str, gone: tuple[Stored, ...], holdings: Holdings) -> None:
        owners, services = holdings.owners(), holdings.services()
        by_service: dict[str, list[Stored]] = {}
        for item in gone:
            folder = item.place.split("/")[1]  # of steps and quarantine files
            other = folder if folder in services else services[0]
            owner = next((owners[digest] for digest in item.digests if digest in owners), other)
            by_service.setdefault(owner, []).append(item)
        for service, items in sorted(by_service.items()):
            for first in range(0, len(items), PER_FACT):
                part = items[first : first + PER_FACT]
                fact = StorageCollected(
                    service=ServiceName(service),
                    sweep=sweep,
                    deleted=tuple(Deleted(kind=each.kind, name=each.name, size=each.size) for each in part),
                    size=sum(each.size for each in part),
                    why=WHY,
                )
                self._ledger.append([fact], ids=[f"collected:{sweep}:{service}:{first}"])

    def _state(self) -> State:
        if not self._file.exists():
            return State()
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=State)
        except msgspec.DecodeError:
            return State()  # without marks everything is marked anew: nothing is deleted too early

    def _write(self, state: State) -> None:
        write_whole(self._file, msgspec.json.encode(state))

    def _now(self) -> float:
        return self._clock.now().timestamp()
