"""A backfill done: rows kept beside the log, labels put in the book, counts made again, and the fact.

Every step may be done twice. Crash points, each repaired by running it again:

- A, before the rows are whole: there is no repair.
- B, after it: the rows lie there and nobody reads them, because the ledger does not name them.
- C, after the labels: the same labels again change nothing.
- D, after the counts, before the fact: the counts of the span are repaired and the monitor's are not yet; the same
  counts again are the same.
- after the fact nothing is left: a controller that runs sees it, and reads the log again through the repair.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256

from flyball.adapters.prediction_log.labels import BOOK, SqliteLabels
from flyball.adapters.prediction_log.repairs import RepairHeader, keep_repair, repair_of, rows_bytes
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.people import Person
from flyball.app.wiring.backfill.reading import Prepared
from flyball.app.wiring.backfill.recounting import recount
from flyball.app.wiring.loop.mended import backfills_of, repairs_of, taken_of
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.core.clock import timestamp
from flyball.core.codec import digest
from flyball.core.errors import Untrusted
from flyball.core.events import BackfillDone
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger
from flyball.core.record import Record

SHOWN = 5  # rows that are named


class MissingRow(Record):
    """A row of the span that the table does not bring."""

    id: str  # of the prediction
    key: str | None  # the service's key, hashed where it is personal; None: it has none


class Backfilled(Record):
    """What `flyball backfill --json` prints."""

    backfill: str  # digest of what went in
    service: str
    since: str  # RFC 3339, UTC
    until: str
    rows: int  # made again
    originals: int  # rows of the log in the span
    left_out: int  # of these, rows that the table does not bring: out of training and analysis from now on
    labels: int  # given in
    new_labels: int
    corrected_labels: int
    panes: int  # buckets of five minutes that were counted again
    source: str
    output: str
    done: bool  # False: it was done before, or it was a dry run
    why: str = ""  # why nothing was done
    broken: dict[str, int] = {}  # rows that the contract does not accept, by the rule
    missing: tuple[MissingRow, ...] = ()  # the first of those that are left out
    rest_is_lost: bool = False  # nobody will bring them
    warning: str = ""  # what is left out, and what to do about it; empty: nothing is


def told(prepared: Prepared, service: str, *, why: str) -> Backfilled:
    """What it would do, or what it did before: nothing is changed."""
    return _document(prepared, service, output="", panes=0, labels=(0, 0), done=False, why=why)


def done_before(ledger: Ledger, service: str, prepared: Prepared) -> bool:
    """Whether the ledger has it already."""
    facts = (entry.fact for entry in ledger.read(subject=service))
    return any(isinstance(fact, BackfillDone) and fact.backfill == prepared.backfill for fact in facts)


def rewritten(home: Home, service: str, prepared: Prepared) -> bool:
    """Of one that was done before: whether its rows were gone, and are there again. Raises: Unavailable."""
    if prepared.rows is None:
        return False
    try:
        repair_of(home.telemetry(service), prepared.backfill)
    except Untrusted:
        _rows(home, service, prepared)
        return True
    return False


def backfill(
    home: Home,
    declared: Declared,
    prepared: Prepared,
    ledger: Ledger,
    person: Person,
    *,
    incident: str | None,
    advance: Callable[[int], None],
) -> Backfilled:
    """Do it. Raises: Unavailable: a disk or a book refuses; running it again goes on."""
    name = declared.service.metadata.name
    folder = home.telemetry(name)
    output = _rows(home, name, prepared)  # crash point A is inside, B after
    counts = (0, 0)
    if prepared.labels:
        with closing(SqliteLabels(folder / BOOK)) as book:
            new, _, corrected = book.put(prepared.labels)
        counts = (new, corrected)  # crash point C
    panes = 0
    if prepared.rows is not None:
        before = repairs_of(folder, backfills_of(ledger, name), taken_of(ledger, name))
        repairs = [*before, repair_of(folder, prepared.backfill)]
        known = promises(ReleaseStore(home))
        panes = recount(home, name, repairs, known, since=prepared.since, until=prepared.until, advance=advance)
    document = _document(prepared, name, output=output, panes=panes, labels=counts, done=True)
    fact = BackfillDone(
        service=ServiceName(name),
        backfill=prepared.backfill,
        since=document.since,
        until=document.until,
        rows=document.rows,
        labels=document.labels,
        panes=panes,
        source=prepared.source,
        output=output,
        by=person.name,
        proof=person.proof,
        incident=incident,
        left_out=document.left_out,
        missing=tuple(each.id for each in document.missing),
        rest_is_lost=prepared.rest_is_lost,
    )
    ledger.append([fact], ids=[f"backfill/{name}/{prepared.backfill}"])  # crash point D is before
    return document


def _rows(home: Home, name: str, prepared: Prepared) -> str:
    """Digest of what was written: of the rows file, or of the labels where there are no rows."""
    if prepared.rows is None:
        return digest("flyball/backfill-labels/v1", [[one.id, one.label] for one in prepared.labels])
    data = rows_bytes(prepared.rows)
    header = RepairHeader(
        backfill=prepared.backfill,
        since=prepared.since,
        until=prepared.until,
        output="sha256:" + sha256(data).hexdigest(),
        rows=prepared.rows.height,
    )
    keep_repair(home.telemetry(name), header, data)
    return header.output


def _document(
    prepared: Prepared,
    service: str,
    *,
    output: str,
    panes: int,
    labels: tuple[int, int],
    done: bool,
    why: str = "",
) -> Backfilled:
    rows = 0 if prepared.rows is None else prepared.rows.height
    report = prepared.report
    broken = {} if report is None else {one.rule: one.rows for one in report.violations if one.rows}
    missing = tuple(MissingRow(id=id_, key=key) for id_, key in prepared.missing.head(SHOWN).iter_rows())
    return Backfilled(
        backfill=prepared.backfill,
        service=service,
        since=_at(prepared.since),
        until=_at(prepared.until),
        rows=rows,
        originals=prepared.originals,
        left_out=prepared.missing.height,
        labels=len(prepared.labels),
        new_labels=labels[0],
        corrected_labels=labels[1],
        panes=panes,
        source=prepared.source,
        output=output,
        done=done,
        why=why,
        broken=broken,
        missing=missing,
        rest_is_lost=prepared.rest_is_lost,
        warning=_warning(prepared, missing),
    )


def _warning(prepared: Prepared, missing: tuple[MissingRow, ...]) -> str:
    """In words; empty: the table brings all rows of the span."""
    if not missing:
        return ""
    left = prepared.missing.height
    names = ", ".join(each.id if each.key is None else f"{each.key} (id {each.id})" for each in missing)
    found = (
        f"{left} of the {prepared.originals} rows of the span are not in the table: {names}"
        f"{' and others' if left > len(missing) else ''}. No analysis and no training sees them."
    )
    if prepared.rest_is_lost:
        return f"{found} They are lost, as was said: nobody is asked for them again."
    return (
        f"{found} Run it again with a table that has them beside the {prepared.originals - left} rows of this one (the "
        "newest table speaks for the whole span); rows that nobody can bring: the same command with --rest-is-lost. "
        "Until then a ticket of the incident stays open."
    )


def _at(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))
