"""`flyball runbook list | show | run`: what to do about an incident, step by step, looked at first or run."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from flyball.app.cli.acting import os_user
from flyball.app.cli.door import HomeOption, JsonFlag, emit, say
from flyball.app.home import Home, find_home
from flyball.app.people import Person
from flyball.core.errors import BadInput, Fault, NotFound
from flyball.core.record import Record

if TYPE_CHECKING:
    from flyball.app.runbooks.reading import Runbook
    from flyball.app.runbooks.resolving import Resolved
    from flyball.app.runbooks.running import Done, Subject

app = App(name="runbook", help="What to do about an incident, step by step.")

NameArgument = Annotated[str, Parameter(help="Name of the runbook, such as data-drift.")]
FromOption = Annotated[
    Path | None,
    Parameter(name="--from", help="Folder of the service, whose runbooks/ adds to the package's."),
]

ONLY = {
    "where-any": " (only where the one before answers yes)",
    "otherwise": " (only where the one before answers no)",
}


class Line(Record):
    name: str
    title: str
    version: int
    reviewed: str
    causes: tuple[str, ...]
    steps: int
    own: bool


class Run(Record):
    """What `run --json` prints."""

    runbook: str
    version: int
    service: str
    incident: str | None
    alert: str | None
    commands: "tuple[Resolved, ...]"  # of a dry run
    done: "tuple[Done, ...]"
    stopped: bool  # a command failed, was declined, or could not be run


@app.command(name="list")
def list_(*, from_: FromOption = None, json: JsonFlag = False) -> None:
    """Every runbook: what it is for, its version, when it was reviewed."""
    from flyball.app.runbooks.shelf import shelf

    lines = tuple(
        Line(
            name=one.name,
            title=one.title,
            version=one.version,
            reviewed=one.reviewed,
            causes=one.causes,
            steps=len(one.steps),
            own=one.own,
        )
        for one in shelf(from_).values()
    )
    text = "\n".join(
        f"{one.name:<24} v{one.version}  {one.reviewed}  {one.title} ({', '.join(one.causes)})"
        + ("  of the service" if one.own else "")
        for one in lines
    )
    emit({"runbooks": lines}, as_json=json, text=lambda: text)


@app.command
def show(name: NameArgument, /, *, from_: FromOption = None, json: JsonFlag = False) -> None:
    """One runbook as it is written; with --json its parts."""
    from flyball.app.runbooks.shelf import runbook, text_of

    emit(runbook(name, from_), as_json=json, text=lambda: text_of(name, from_).rstrip())


@app.command
def run(
    name: NameArgument,
    /,
    *,
    service: Annotated[str, Parameter(help="The service that it is run for.")],
    incident: Annotated[
        str | None, Parameter(help="The incident; else the newest open one that the runbook is for.")
    ] = None,
    alert: Annotated[str | None, Parameter(help="The open alert; else the newest that links the runbook.")] = None,
    step: Annotated[int | None, Parameter(help="This step alone.")] = None,
    dry_run: Annotated[
        bool, Parameter(name="--dry-run", negative="", help="Print each command and check that it could be run.")
    ] = False,
    yes: Annotated[
        bool, Parameter(name="--yes", negative="", help="Do not ask before what changes something.")
    ] = False,
    from_: FromOption = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Run the steps one after the other; asks before each command that changes something, and stops at a failure.
    Exit code 1: it stopped, or (--dry-run) a command could not be run."""
    from flyball.app.cli.parsed import fault_of
    from flyball.app.runbooks import running
    from flyball.app.runbooks.resolving import resolved
    from flyball.app.runbooks.shelf import runbook
    from flyball.app.wiring.ledger import ledger_of

    place = find_home(home)
    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    book = runbook(name, from_ or place.folder_of(service))
    if step is not None and step not in [each.number for each in book.steps]:
        fault = Fault(where="command", path="--step", expected=f"1 to {len(book.steps)}", found=str(step))
        raise BadInput(f"The runbook {name} has no such step.", (fault,))
    subject, values = _subject(place, service, incident, alert, book)
    commands = resolved(book, values, fault_of, only=step)
    if dry_run:
        return _end(book, subject, commands, (), as_json=json, stopped=any(each.fault for each in commands))
    with ledger_of(place) as ledger:
        done = tuple(
            running.run(
                *(book, subject, commands),
                home=place,
                ledger=ledger,
                person=Person(name=os_user(), proof="os_user"),
                only=step,
                allow=lambda each: yes or _agreed(each),
                told=say,
                quiet=json,
            )
        )
    stopped = bool(done) and done[-1].outcome in ("failed", "declined")
    return _end(book, subject, (), done, as_json=json, stopped=stopped)


def _subject(
    place: Home, service: str, incident: str | None, alert: str | None, book: "Runbook"
) -> "tuple[Subject, dict[str, str]]":
    from flyball.app.runbooks.subject import subject_of
    from flyball.app.wiring.asking.sealed_until import sealed_until
    from flyball.app.wiring.ledger import open_ledger

    sealed = sealed_until(place, service)
    with closing(open_ledger(place)) as ledger:
        return subject_of(ledger, service, incident, book=book, alert=alert, sealed_until=sealed)


def _agreed(each: "Resolved") -> bool:
    """Nobody there to ask is a no."""
    if not sys.stdin.isatty():
        say(f"not run without --yes, because it changes something: {each.command}")
        return False
    sys.stderr.write(f"run `{each.command}`? It changes something. [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _end(
    book: "Runbook",
    subject: "Subject",
    commands: "tuple[Resolved, ...]",
    done: "tuple[Done, ...]",
    *,
    as_json: bool,
    stopped: bool,
) -> int:
    document = Run(
        runbook=book.name,
        version=book.version,
        service=subject.service,
        incident=subject.incident,
        alert=subject.alert,
        commands=commands,
        done=done,
        stopped=stopped,
    )
    lines = [
        f"{each.step} {each.title}: {each.command}"
        + ONLY.get(each.when, "")
        + (f"\n  cannot be run: {each.fault}" if each.fault else "")
        + ("; name it by --incident" if each.lacking else "")
        for each in commands
    ]
    lines += [f"{each.command.step} {each.command.title}: {each.outcome}: {each.command.command}" for each in done]
    emit(document, as_json=as_json, text=lambda: "\n".join(lines) or "no step of it has a command")
    return 1 if stopped else 0
