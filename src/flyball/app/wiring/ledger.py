"""The ledger of a home, put together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from flyball.adapters.content.keys import PUBLIC, public_key, signing_key
from flyball.adapters.ledger.sqlite_audit import Row
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import name_database, open_snapshot, place_of, unname_database
from flyball.app.wiring.ledger_place import open_ledger as open_ledger
from flyball.core.clock import Clock
from flyball.core.errors import BadInput, LedgerBroken, NotFound, Unavailable
from flyball.core.ledger import Head, Sealed
from flyball.core.record import Record
from flyball.registry import chain
from flyball.registry.checkpoint import Checkpoint
from flyball.registry.record import Recorder, read_checkpoint, replace_file, write_checkpoint
from flyball.registry.verify import FoundHead, Verification, verify

STEP = 10_000  # entries between two words about progress


@contextmanager
def ledger_of(home: Home, *, clock: Clock | None = None) -> Iterator[Recorder]:
    """The ledger with its newest head signed within a second of each append, and at the end."""
    with recorder(home, clock=clock) as ledger:
        yield ledger


def recorder(home: Home, *, clock: Clock | None = None, told: bool = True) -> Recorder:
    """As `ledger_of`, for processes that close it themselves. Open it anew in each process."""
    return Recorder(open_ledger(home, clock=clock, told=told), signing_key(home.keys), checkpoint_path(home))


def checkpoint_path(home: Home) -> Path:
    """The signed head: beside the file; in the home also where the ledger stands in a database."""
    return home.ledger.with_name(home.ledger.name + ".checkpoint")


def audit(
    home: Home,
    *,
    checkpoints: Sequence[Path] = (),
    key: Path | None = None,
    advance: Callable[[float], None] | None = None,
) -> Verification:
    """Verify the ledger against itself, the head beside it and these checkpoints; nothing is opened for writing.

    `key`: the public key that signed them, else the home's own. `advance` is told how many entries were read.
    Raises: NotFound: no ledger, or no such file. BadInput: a checkpoint or key of the caller's is none.
    """
    heads, beside_fault = _heads(home, checkpoints, key)  # before the snapshot: no head can be newer by right
    try:
        opened = open_snapshot(home)
    except NotFound:
        if not heads and not beside_fault:
            raise
        verdict = verify((), 0, chain.EMPTY, heads)
        return replace(verdict, ok=False, reason=f"the ledger is missing; {verdict.reason or beside_fault}")
    with opened as snapshot:
        try:
            events, tip = snapshot.events(), snapshot.tip()
        except LedgerBroken as error:
            return Verification(ok=False, events=0, root="", first_bad=1, reason=str(error), anchored_to=0)
        verdict = verify(_watched(snapshot.rows(), advance), events, tip, heads)
        faults = snapshot.index_faults() if verdict.ok else ()
    if verdict.ok and beside_fault:
        return replace(verdict, ok=False, reason=beside_fault)
    if faults:
        return replace(verdict, ok=False, reason=f"the index by service is wrong: {faults[0]}")
    return verdict


class Used(Record):
    """What a home's ledger is after `use`."""

    database: str  # without its password
    entries: int
    anchored_to: int  # entries up to here are under the home's signed head


def use(home: Home, url: str) -> Used:
    """From now on the home's ledger stands in this database; its tables are made if there are none.

    A database that does not verify, or does not continue the head that this home has signed, is not taken.
    Raises: BadInput: the home has a ledger of its own; the URL is none. LedgerBroken: not taken. Unavailable.
    """
    before = name_database(home, url)
    try:
        verdict = _first_look(home)
        if not verdict.ok:
            raise LedgerBroken(
                f"{place_of(home)} is not taken: {verdict.reason}", hint="name the database of this home"
            )
    except BaseException:
        unname_database(home, before)
        raise
    return Used(database=place_of(home), entries=verdict.events, anchored_to=verdict.anchored_to)


def _first_look(home: Home) -> Verification:
    try:
        return audit(home)
    except NotFound:  # neither tables nor a signed head: a home that begins
        open_ledger(home).close()
        return audit(home)


def newest(home: Home, count: int) -> list[Sealed]:
    """The last `count` entries, oldest first. Raises: NotFound: no ledger."""
    with open_snapshot(home) as snapshot:
        return [_sealed(row) for row in snapshot.rows(max(0, snapshot.last() - count))]


def behind(home: Home, after: int) -> list[Sealed]:
    """The entries behind number `after`. Raises: NotFound: no ledger."""
    with open_snapshot(home) as snapshot:
        return [_sealed(row) for row in snapshot.rows(after)]


def export_lines(home: Home, upto: int | None = None) -> Iterator[bytes]:
    """Each entry up to `upto` as a line of JSON. Raises: NotFound: no ledger."""
    with open_snapshot(home) as snapshot:
        yield from (chain.export_line(*row) for row in snapshot.rows(0, upto))


def export_checkpoint(home: Home, file: Path) -> Head:
    """Sign the present head and put a copy elsewhere; a ledger that does not continue its last head is not signed.

    Raises: NotFound: no ledger. LedgerBroken: not signed. Unavailable: `file` cannot be written.
    """
    open_snapshot(home).close()  # opening it to write would make it
    ledger = open_ledger(home)
    try:
        write_checkpoint(ledger, signing_key(home.keys), checkpoint_path(home))
    finally:
        ledger.close()
    checkpoint = read_checkpoint(checkpoint_path(home))
    if checkpoint is None:
        raise NotFound(f"{place_of(home)}: an empty ledger has no head to sign")
    try:
        replace_file(file, checkpoint_path(home).read_text(encoding="utf-8"))
    except OSError as error:
        raise Unavailable(f"{file}: the checkpoint cannot be written: {error}") from error
    return Head(size=checkpoint.size, root=checkpoint.root.hex())


def _watched(rows: Iterator[Row], advance: Callable[[float], None] | None) -> Iterator[Row]:
    for row in rows:
        if advance is not None and row[0] % STEP == 0:
            advance(STEP)
        yield row


def _heads(home: Home, checkpoints: Sequence[Path], key: Path | None) -> tuple[list[FoundHead], str | None]:
    """All heads there are, and what is wrong with the file beside the ledger: that is a finding, not an input."""
    found: list[tuple[Path, Checkpoint]] = []
    fault = None
    try:
        beside = read_checkpoint(checkpoint_path(home))
        found += [(checkpoint_path(home), beside)] if beside is not None else []
    except BadInput as error:
        fault = str(error)
    for path in checkpoints:
        given = read_checkpoint(path)
        if given is None:
            raise NotFound(f"{path}: there is no such checkpoint")
        found.append((path, given))
    own = home.keys / PUBLIC
    public = public_key(key or own) if key is not None or own.exists() else None
    return [FoundHead(str(path), each, public is not None and each.is_signed_by(public)) for path, each in found], fault


def _sealed(row: Row) -> Sealed:
    seq, *texts = row
    at, kind, subject, event, prev_hash, hash_ = (each.decode("utf-8", "replace") for each in texts)
    return Sealed(seq=seq, at=at, type=kind, subject=subject, event=event, prev_hash=prev_hash, hash=hash_)
