"""A runbook's Markdown as a record: version, causes, sections, and steps with their commands. All faults at once.

The form: a title; a fenced block `yaml runbook` with `version`, `reviewed` and `causes`; the sections of SECTIONS in
any order; in "Steps" a heading of the third level for each step. A step's commands stand in fenced blocks `console`,
marked `read-only` or `changing`, a line `$ ...` each. What "Verify" says is the last step. `read-only whether-any` asks
whether there is anything of a kind (exit code 0 yes, 1 no); behind it in its step `changing where-any` is run only
where there is, and `changing otherwise` only where there is not. Questions that follow one another are one: each has to
be answered by a yes.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Any, Literal

import msgspec
from markdown_it import MarkdownIt
from markdown_it.token import Token

from flyball.contracts.yaml_text import read
from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record

SECTIONS = ("When it applies", "How clients feel it", "Steps", "Verify", "Escalate", "Automate")
PLACEHOLDERS = ("service", "incident", "about", "since", "until")
When = Literal["always", "whether-any", "where-any", "otherwise"]
MARKS: dict[str, tuple[bool, When]] = {  # what a block says -> whether it changes something, and when it is run
    "read-only": (False, "always"),
    "read-only whether-any": (False, "whether-any"),
    "changing": (True, "always"),
    "changing where-any": (True, "where-any"),
    "changing otherwise": (True, "otherwise"),
}
ANSWERED: tuple[When, ...] = ("where-any", "otherwise")  # what a `whether-any` before them decides
# what cannot change anything, by the words of the verb: a block that claims to be read-only has these alone
READERS = frozenset(
    {
        *("alerts list", "check", "diff", "explain", "lineage", "schema", "status"),
        *("contract check", "contract diff", "contract lint"),
        *("events list", "events log", "exception list", "keys list", "ledger tail", "ledger verify"),
        *("incident list", "incident show", "runbook list", "runbook show", "runs list", "runs show"),
        *("monitor history", "monitor status", "predictions query", "predictions show", "predictions summary"),
        *("rollout explain", "rollout history", "rollout plan", "rollout status", "slo status"),
    }
)


class Command(Record):
    line: str  # as it is typed, with placeholders
    changing: bool
    when: When = "always"


class Step(Record):
    number: int  # from 1
    title: str
    text: str
    commands: tuple[Command, ...] = ()


class Runbook(Record):
    name: str  # of its file: what alerts link to
    title: str
    version: int
    reviewed: str  # a day
    causes: tuple[str, ...]  # fingerprints that it is for; a part before `/` stands for all of them
    applies: str
    clients: str
    steps: tuple[Step, ...]  # the last one verifies
    escalate: str
    automate: str
    own: bool = False  # the service's, not the package's


class Front(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    reviewed: date
    causes: list[str]


@dataclass
class _Part:
    """A section, or a step of one: its text without headings, and its console blocks."""

    title: str
    text: str
    blocks: list[Token]


def parse(name: str, text: str, *, own: bool = False) -> Runbook:
    """Raises: BadInput with all faults."""
    faults: list[Fault] = []
    lines, tokens = text.splitlines(), MarkdownIt("commonmark").parse(text)
    title = next((tokens[at + 1].content for at, token in enumerate(tokens) if token.tag == "h1"), "")
    if not title:
        faults.append(_fault(name, "line 1", "a title: `# Data drift`", "none"))
    front = _front(name, tokens, faults)
    parts = {part.title: part for part in _parts(tokens, lines, "h2")}
    faults += [_fault(name, wanted, "a section of this name", "none") for wanted in SECTIONS if wanted not in parts]
    faults += [
        _fault(name, other, "one of " + ", ".join(SECTIONS), "another section")
        for other in parts
        if other not in SECTIONS
    ]
    steps = [*_parts(_inside(tokens, "Steps"), lines, "h3"), *([parts["Verify"]] if "Verify" in parts else [])]
    if "Steps" in parts and len(steps) < 2:
        faults.append(_fault(name, "Steps", "a step at least: `### What broke?`", "none"))
    made = tuple(_step(name, number, part, faults) for number, part in enumerate(steps, start=1))
    if faults or front is None:
        raise BadInput(f"The runbook {name} is faulty.", tuple(faults))
    said = {wanted: parts[wanted].text for wanted in SECTIONS}
    return Runbook(
        name=name,
        title=title,
        version=front.version,
        reviewed=front.reviewed.isoformat(),
        causes=tuple(front.causes),
        applies=said["When it applies"],
        clients=said["How clients feel it"],
        steps=made,
        escalate=said["Escalate"],
        automate=said["Automate"],
        own=own,
    )


def _front(name: str, tokens: Sequence[Token], faults: list[Fault]) -> Front | None:
    block = next((token for token in tokens if token.type == "fence" and token.info == "yaml runbook"), None)
    if block is None:
        faults.append(_fault(name, "top", "a block `yaml runbook` with version, reviewed and causes", "none"))
        return None
    document = read(block.content, file=f"{name}.md")
    faults += document.faults
    if document.faults:
        return None
    data: Any = document.data
    if isinstance(data, dict) and isinstance(data.get("reviewed"), str):
        try:
            data = data | {"reviewed": date.fromisoformat(data["reviewed"])}
        except ValueError:
            faults.append(_fault(name, "reviewed", "a day: 2026-11-27", data["reviewed"]))
            return None
    try:
        return msgspec.convert(data, Front)
    except msgspec.ValidationError as error:
        faults.append(_fault(name, "yaml runbook", "version, reviewed (a day), causes (a list)", str(error)))
        return None


def _parts(tokens: Sequence[Token], lines: Sequence[str], tag: str) -> Iterator[_Part]:
    """What stands under each heading of a level, up to the next heading of that level or a higher one."""
    starts = [at for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == tag]
    for number, at in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(tokens)
        within = tokens[at + 3 : end]
        blocks = [token for token in within if token.type == "fence"]
        inline = [token for token in within if token.map and token.level == 0 and token.type.endswith("_open")]
        text = "\n\n".join(
            "\n".join(lines[token.map[0] : token.map[1]]).strip()
            for token in inline
            if token.map and token.tag not in ("h2", "h3")
        )
        yield _Part(title=tokens[at + 1].content, text=text, blocks=blocks)


def _inside(tokens: Sequence[Token], section: str) -> Sequence[Token]:
    heads = [at for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    for number, at in enumerate(heads):
        if tokens[at + 1].content == section:
            return tokens[at + 3 : heads[number + 1] if number + 1 < len(heads) else len(tokens)]
    return ()


def _step(name: str, number: int, part: _Part, faults: list[Fault]) -> Step:
    commands: list[Command] = []
    for block in part.blocks:
        kind, _, mark = block.info.partition(" ")
        if kind != "console":
            continue
        if mark not in MARKS:
            marks = " or ".join(f"`console {known}`" for known in MARKS)
            faults.append(_fault(name, part.title, marks, f"`{block.info}`"))
            continue
        changing, when = MARKS[mark]
        if when in ANSWERED and not any(one.when == "whether-any" for one in commands):
            expected = "a block `console read-only whether-any` before it in the same step"
            faults.append(_fault(name, part.title, expected, f"`{block.info}` alone"))
        for line in block.content.splitlines():
            if not line.startswith("$ "):
                faults.append(_fault(name, part.title, "a line `$ command`", line))
                continue
            command = Command(line=line.removeprefix("$ ").strip(), changing=changing, when=when)
            faults += _of_command(name, part.title, command)
            commands.append(command)
    return Step(number=number, title=part.title, text=part.text, commands=tuple(commands))


def _of_command(name: str, title: str, command: Command) -> Iterator[Fault]:
    try:
        words = shlex.split(command.line)
        named = [field for _, field, _, _ in Formatter().parse(command.line) if field is not None]
    except ValueError as error:
        yield _fault(name, title, "a command that can be read", f"{command.line}: {error}")
        return
    for field in named:
        if field not in PLACEHOLDERS:
            yield _fault(name, title, "one of " + ", ".join(f"{{{each}}}" for each in PLACEHOLDERS), f"{{{field}}}")
    if not command.changing and not reads_only(words):
        yield _fault(name, title, "a command that changes nothing, or the mark `changing`", command.line)


WRITING = ("--out", "--html")  # options that write a file; the command line takes the beginning of a name for it


def reads_only(words: Sequence[str]) -> bool:
    """Whether a command is one of ours that cannot change anything; of others nobody knows.

    >>> reads_only(["flyball", "status", "fraud"])
    True
    >>> reads_only(["flyball", "gc"]), reads_only(["flyball", "gc", "--dry-run"])
    (False, True)
    >>> reads_only(["flyball", "status", "fraud", "--out=page.md"])
    False
    """
    options = [word.partition("=")[0] for word in words if word.startswith("--") and len(word) > len("--")]
    if words[:1] != ["flyball"] or any(file.startswith(each) for each in options for file in WRITING):
        return False
    dry = "--dry-run" in words and words[1:2] in (["gc"], ["backfill"])
    return dry or " ".join(words[1:2]) in READERS or " ".join(words[1:3]) in READERS


def _fault(name: str, path: str, expected: str, found: str) -> Fault:
    return Fault(where=f"{name}.md", path=path, expected=expected, found=found)
