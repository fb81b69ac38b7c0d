"""A command of a runbook made whole: placeholders filled in, and looked at by the parser that would run it."""

import shlex
from collections.abc import Callable, Mapping
from string import Formatter

from flyball.app.runbooks.reading import Command, Runbook, Step, When
from flyball.core.record import Record

EXAMPLE = {  # to look at a runbook where nothing is wrong
    "service": "fraud",
    "incident": "in-errors-1",
    "about": "in-errors-1",
    "since": "2026-11-27T10:00:00.000000Z",
    "until": "2026-11-27T11:00:00.000000Z",
}


class Resolved(Record):
    """One command as it would be run."""

    step: int
    title: str
    command: str  # placeholders that have no value are left as they are
    changing: bool
    when: When = "always"  # where-any, otherwise: as the questions (`whether-any`) before it in its step were answered
    fault: str = ""  # why it could not be run
    lacking: tuple[str, ...] = ()  # placeholders that nothing is known for: naming an incident gives them a value


FaultOf = Callable[[list[str]], str]


def resolved(
    book: Runbook, values: Mapping[str, str], fault_of: FaultOf, *, only: int | None = None
) -> tuple[Resolved, ...]:
    """Every command of every step, or of one. `fault_of`: why a command could not be run, as `app.cli.parsed`."""
    return tuple(
        _whole(step, command, values, fault_of)
        for step in book.steps
        if only is None or step.number == only
        for command in step.commands
    )


def wants_incident(book: Runbook) -> bool:
    """Whether it can be run only about an incident: an alert alone gives `{incident}` no value."""
    return any("incident" in _named(command) for step in book.steps for command in step.commands)


def filled(line: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """The words of a command. A value is one word, or part of one, whatever is in it.

    >>> filled('flyball freeze {service} --why "{incident} is open"', {"service": "a b", "incident": "in-1"})
    ('flyball', 'freeze', 'a b', '--why', 'in-1 is open')
    """
    words = []
    for word in shlex.split(line):
        pieces = Formatter().parse(word)
        words.append("".join(text + (values.get(name, f"{{{name}}}") if name else "") for text, name, _, _ in pieces))
    return tuple(words)


def _whole(step: Step, command: Command, values: Mapping[str, str], fault_of: FaultOf) -> Resolved:
    words = filled(command.line, values)
    lacking = sorted(name for name in _named(command) if name not in values)
    fault = "nothing is known for " + ", ".join(lacking) if lacking else fault_of(list(words))
    line = shlex.join(words) if not lacking else command.line
    return Resolved(
        step=step.number,
        title=step.title,
        command=line,
        changing=command.changing,
        when=command.when,
        fault=fault,
        lacking=tuple(lacking),
    )


def _named(command: Command) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(command.line) if name}
