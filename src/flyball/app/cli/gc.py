"""`flyball gc`: delete what no release that is kept needs; mark first, delete after a grace."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.home import find_home
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    from flyball.app.people import Person
    from flyball.app.wiring.stores.collecting import Swept
    from flyball.core.ledger import Entry, Ledger
    from flyball.registry.sweep import Stored


class Line(msgspec.Struct, kw_only=True):
    """One stored thing in the document."""

    kind: str
    name: str
    size: int  # bytes
    why: str
    due: str | None  # when it may be deleted (RFC 3339); null where it is gone, or goes now


class Collection(msgspec.Struct, kw_only=True):
    """The document of `gc`."""

    home: str
    dry_run: bool
    grace_s: float
    deleted: list[Line]  # with dry_run: what would be deleted
    deleted_bytes: int
    marked: list[Line]  # by this sweep or an earlier one: deleted by a sweep after `due`
    marked_bytes: int
    kept: int
    kept_bytes: int


def gc(
    *,
    dry_run: Annotated[bool, Parameter(negative="", help="Say what would be done, and change nothing.")] = False,
    grace: Annotated[str, Parameter(help="How long a thing is marked, and how old it is, before it goes.")] = "7d",
    hold: Annotated[str | None, Parameter(help="Keep this digest and all it needs; sweeps nothing.")] = None,
    lift: Annotated[str | None, Parameter(help="End the hold on this digest; sweeps nothing.")] = None,
    why: Annotated[str, Parameter(help="Your reason for a hold, for the ledger.")] = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Delete what nothing that is kept needs. The first run marks; a run after the grace deletes."""
    from flyball.app.cli.acting import act
    from flyball.app.holds import hold as hold_it

    grace_s = _grace(grace, hold=hold, lift=lift)
    if (digest := hold or lift) is not None:
        from flyball.app.wiring.stores.sweep_lock import no_sweep

        def said(ledger: "Ledger", person: "Person") -> "tuple[Entry, ...]":
            with no_sweep(find_home(home)):
                return hold_it(ledger, digest, person, why, lift=hold is None)

        act(said, digest, home=home, as_json=json)
        return
    from flyball.app.wiring.stores.collecting import collect

    place = find_home(home)
    swept = collect(place, grace_s, dry_run=dry_run)
    document = _document(swept, str(place.root), grace_s, dry_run=dry_run)
    emit(document, as_json=json, text=lambda: _text(document))


def _grace(text: str, *, hold: str | None, lift: str | None) -> float:
    from flyball.contracts.durations import seconds

    found, faults = seconds(text), []
    if found is None:
        faults.append(Fault(where="command line", path="--grace", expected="a duration such as 7d or 12h", found=text))
    if hold is not None and lift is not None:
        faults.append(Fault(where="command line", path="--lift", expected="one of --hold and --lift", found="both"))
    if faults or found is None:
        raise BadInput("The command line is faulty.", tuple(faults))
    return found


def _document(swept: "Swept", home: str, grace_s: float, *, dry_run: bool) -> Collection:
    fates: dict[str, list[Any]] = {}
    for each in swept.judged:
        fates.setdefault(each.fate, []).append(each)
    doomed = [_line(each.item, each.why, None) for each in fates.get("delete", [])]
    marked = [_line(each.item, each.why, each.due) for each in (*fates.get("wait", []), *fates.get("mark", []))]
    kept = [each.item.size for each in (*fates.get("keep", []), *fates.get("young", []))]
    deleted = doomed if dry_run else [_line(item, "nothing that is kept names it", None) for item in swept.deleted]
    return Collection(
        home=home,
        dry_run=dry_run,
        grace_s=grace_s,
        deleted=deleted,
        deleted_bytes=sum(line.size for line in deleted),
        marked=marked,
        marked_bytes=sum(line.size for line in marked),
        kept=len(kept),
        kept_bytes=sum(kept),
    )


def _line(item: "Stored", why: str, due: float | None) -> Line:
    from flyball.core.clock import timestamp

    when = None if due is None else timestamp(datetime.fromtimestamp(due, UTC))
    return Line(kind=item.kind, name=item.name, size=item.size, why=why, due=when)


def _text(document: Collection) -> str:
    verb = "would be deleted" if document.dry_run else "deleted"
    lines = [f"  {verb}: {_named(line)}: {line.why}" for line in document.deleted]
    soon = "would be marked or is" if document.dry_run else "marked"
    lines += [f"  {soon}: {_named(line)}: {line.why}; goes after {line.due}" for line in document.marked]
    lines.append(
        f"{verb}: {len(document.deleted)} ({_size(document.deleted_bytes)}), marked: {len(document.marked)}"
        f" ({_size(document.marked_bytes)}), kept: {document.kept} ({_size(document.kept_bytes)})"
    )
    return "\n".join(lines)


def _named(line: Line) -> str:
    from flyball.core.ids import short

    return f"{line.kind} {line.name if line.kind in ('step', 'quarantine') else short(line.name)} ({_size(line.size)})"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
