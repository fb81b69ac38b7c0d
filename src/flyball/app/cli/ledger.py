"""`flyball ledger verify | tail | export | use`: read the ledger, prove it, take it elsewhere; say where it stands."""

import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress, say
from flyball.app.home import find_home
from flyball.app.wiring.ledger import audit, behind, export_checkpoint, export_lines, newest, use
from flyball.core.errors import Unavailable
from flyball.core.ledger import Head, Sealed
from flyball.core.record import Record
from flyball.registry.verify import Verification

POLL_S = 0.25  # how often `tail --follow` looks
WIDTH = 100  # characters of an event in a line of `tail`

app = App(name="ledger", help="Verify, follow or export the ledger.")


class Exported(Record):
    """What `export --json --to FILE` prints."""

    entries: int
    file: str
    checkpoint: Head | None


@app.command
def verify(
    *,
    checkpoint: Annotated[
        tuple[Path, ...], Parameter(help="A signed head kept elsewhere; may be given several times.")
    ] = (),
    key: Annotated[Path | None, Parameter(help="Public key (PEM) that signed the heads, else the home's.")] = None,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """Check each entry, the chain and the tree against the signed heads; exit 1 names the first bad entry."""
    with progress("entries") as advance:
        verdict = audit(find_home(home), checkpoints=checkpoint, key=key, advance=advance)
    emit(verdict, as_json=json, text=lambda: _told(verdict))
    return 0 if verdict.ok else 1


@app.command(name="use")
def use_(
    url: Annotated[str, Parameter(help="postgresql://user@host:port/database; a password better by PGPASSFILE.")],
    /,
    *,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> None:
    """Keep the ledger of a home in a PostgreSQL database, which several hosts may share."""
    used = use(find_home(home), url)
    emit(used, as_json=json, text=lambda: f"the ledger stands in {used.database}: {used.entries} entries")


@app.command
def tail(
    *,
    lines: Annotated[int, Parameter(name=["--lines", "-n"], help="How many entries.")] = 20,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], negative="", help="Go on until interrupted.")] = False,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """The newest entries, one a line. With --follow and --json each entry is a document on a line of its own."""
    place = find_home(home)
    entries = newest(place, max(0, lines))
    if not follow:
        document = {"entries": [_document(entry) for entry in entries]}
        emit(document, as_json=json, text=lambda: "\n".join(_line(entry) for entry in entries))
        return 0
    last, never = 0, threading.Event()
    while True:
        for entry in entries:
            text = msgspec.json.encode(_document(entry)).decode() if json else _line(entry)
            sys.stdout.write(text + "\n")
            last = entry.seq
        sys.stdout.flush()
        never.wait(POLL_S)
        entries = behind(place, last)


@app.command
def export(
    *,
    to: Annotated[Path | None, Parameter(help="File for the entries, else standard output.")] = None,
    checkpoint: Annotated[Path | None, Parameter(help="Write the present signed head to this file as well.")] = None,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """All entries as JSON Lines, and the signed head that proves them. With --json one document."""
    place = find_home(home)
    head = export_checkpoint(place, checkpoint) if checkpoint is not None else None
    lines = export_lines(place, head.size if head is not None else None)
    if to is not None:
        count = _written(lines, to)
        done = Exported(entries=count, file=str(to), checkpoint=head)
        emit(done, as_json=json, text=lambda: f"{count} entries written to {to}")
    elif json:
        emit({"entries": [msgspec.Raw(line) for line in lines], "checkpoint": head}, as_json=True, text=str)
    else:
        for line in lines:
            sys.stdout.buffer.write(line)
    if head is not None:
        say(f"signed head of {head.size} entries written to {checkpoint}")
    return 0


def _written(lines: Iterable[bytes], to: Path) -> int:
    count = 0
    try:
        with to.open("wb") as file:
            for count, line in enumerate(lines, start=1):  # noqa: B007 -- the last number is the count
                file.write(line)
    except OSError as error:
        raise Unavailable(f"{to}: the entries cannot be written: {error}", hint="check folder and space") from error
    return count


def _told(verdict: Verification) -> str:
    lines = ["the ledger verifies" if verdict.ok else f"the ledger is BROKEN: {verdict.reason}"]
    if verdict.first_bad is not None:
        until = f" (or up to {verdict.last_bad})" if verdict.last_bad is not None else ""
        lines.append(f"first bad entry: {verdict.first_bad}{until}")
    lines.append(f"events: {verdict.events}, root {verdict.root}")
    for head in verdict.heads:
        signed, agrees = "signed" if head.signed else "NOT SIGNED", "agrees" if head.agrees else "DOES NOT AGREE"
        lines.append(f"head of {head.size} entries, {signed}, {agrees}: {head.source}")
    if verdict.anchored_to < verdict.events:
        lines.append(f"entries from {verdict.anchored_to + 1} on are under no signed head")
    return "\n".join(lines)


def _document(entry: Sealed) -> dict[str, Any]:
    return msgspec.structs.asdict(entry) | {"event": msgspec.json.decode(entry.event)}


def _line(entry: Sealed) -> str:
    event = msgspec.json.decode(entry.event)
    said = " ".join(
        f"{name}={value}"
        for name, value in event.items()
        if name not in ("type", "service") and isinstance(value, str | int | float | bool)
    )
    printable = "".join(letter if letter.isprintable() else " " for letter in said)
    short = printable if len(printable) <= WIDTH else printable[: WIDTH - 1] + "…"
    return f"{entry.seq:>6}  {entry.at[:19]}Z  {entry.subject:<16}  {entry.type:<22}  {short}".rstrip()
