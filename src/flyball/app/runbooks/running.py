"""Steps of a runbook run one after the other, each command a process of its own; what was done goes to the ledger.

A changing command is asked for first. A failure stops the run: exit code 2 or 3, or anything but 0 of a command that
changes something; a command that only looks may answer no (1). Whether there is anything of a kind is asked by a
command that only looks (`whether-any`): one that changes something fails for many reasons, and none of them says that.
Its answer is for the rest of its step, or up to the next question; of questions that follow one another every one has
to be answered by a yes. Crash points: a command that ran and was not told is told by nobody; running the step again is
what its own verb makes of it (each is written to be said twice).
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from flyball.app.home import HOME_VARIABLE, Home
from flyball.app.people import Person
from flyball.app.runbooks.reading import Runbook
from flyball.app.runbooks.resolving import Resolved
from flyball.core.errors import BadInput, Fault
from flyball.core.events import RunbookStepDone
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger
from flyball.core.record import Record


class Done(Record):
    """One command of a run, and what became of it."""

    command: Resolved
    outcome: Literal["done", "no", "failed", "declined", "skipped"]  # no: it looked, and the answer is no
    exit_code: int | None = None  # None: it was not run


class Subject(Record):
    """What a run is about."""

    service: str
    incident: str | None = None
    alert: str | None = None


def run(
    book: Runbook,
    subject: Subject,
    commands: Sequence[Resolved],
    *,
    home: Home,
    ledger: Ledger,
    person: Person,
    only: int | None,
    allow: Callable[[Resolved], bool],
    told: Callable[[str], None],
    quiet: bool,
) -> Iterator[Done]:
    """Run it, and yield what became of each command; the last one is what stopped it, where something did.

    Args: commands: of its steps, placeholders filled in. only: this step alone. allow: asked before a command that
        changes something. told: words for people. quiet: output of the commands goes to standard error.

    Raises: BadInput: a command cannot be run; nothing was.
    """
    if faults := [_fault(book, each) for each in commands if each.fault]:
        raise BadInput(f"The runbook {book.name} cannot be run here.", tuple(faults))
    for step in book.steps:
        if only is not None and step.number != only:
            continue
        told(f"{step.number} {step.title}\n{step.text}\n")
        codes: list[int] = []
        there = asked = False  # what the newest questions of this step came to; whether the command before was one
        for each in (one for one in commands if one.step == step.number):
            if (each.when == "where-any" and not there) or (each.when == "otherwise" and there):
                asked = False
                yield Done(command=each, outcome="skipped")
                continue
            done = _one(each, home, allow, told, quiet=quiet)
            if each.when == "whether-any":
                there = done.outcome == "done" and (there or not asked)
            asked = each.when == "whether-any"
            codes += [done.exit_code] if done.exit_code is not None else []
            stopped = done.outcome in ("failed", "declined")
            if stopped and codes:
                _tell(ledger, book, subject, person, f"{step.number} {step.title}", codes)
            yield done
            if stopped:
                return
        if codes:
            _tell(ledger, book, subject, person, f"{step.number} {step.title}", codes)


def _one(
    each: Resolved, home: Home, allow: Callable[[Resolved], bool], told: Callable[[str], None], *, quiet: bool
) -> Done:
    if each.changing and not allow(each):
        return Done(command=each, outcome="declined")
    told(f"$ {each.command}")
    words = shlex.split(each.command)
    if words[0] == "flyball":
        words = [sys.executable, "-m", "flyball.app.cli", *words[1:]]
    environment = os.environ | {HOME_VARIABLE: str(home.root)}
    ran = subprocess.run(words, env=environment, check=False, stdout=sys.stderr if quiet else None)
    code = ran.returncode
    if code == 0:
        return Done(command=each, outcome="done", exit_code=0)
    no = code == 1 and not each.changing
    return Done(command=each, outcome="no" if no else "failed", exit_code=code)


def _tell(ledger: Ledger, book: Runbook, subject: Subject, person: Person, step: str, codes: list[int]) -> None:
    fact = RunbookStepDone(
        service=ServiceName(subject.service),
        runbook=book.name,
        step=step,
        by=person.name,
        proof=person.proof,
        exit_code=max(codes, key=abs),
        incident=subject.incident,
        alert=subject.alert,
    )
    ledger.append([fact])


def _fault(book: Runbook, each: Resolved) -> Fault:
    fix = "name it by --incident" if each.lacking else ""
    return Fault(
        where=f"{book.name}.md",
        path=f"{each.step} {each.title}",
        expected="a command that runs",
        found=f"{each.command}: {each.fault}",
        fix=fix,
    )
