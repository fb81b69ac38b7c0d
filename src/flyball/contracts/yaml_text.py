"""YAML 1.2 text to plain values that JSON could hold, with the line of every key, and every fault at once.

YAML 1.2, so `no`, `on` and `12:30` are text (in 1.1 Norway's country code is False). A date stays text too: a
declaration means what is written, and JSON has no dates. Duplicate keys are faults: the first one would win silently.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from flyball.core.errors import BadInput, Fault

Path = tuple[str | int, ...]
MAX_CHARACTERS = 2_000_000
MAX_NODES = 200_000  # aliases of aliases can make a short text a huge value


@dataclass
class Document:
    """A parsed text; `data` is None where the text could not be read at all."""

    file: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)  # counted from 1
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: Path, expected: str, found: str, fix: str = "") -> Fault:
        """A fault at a path, with the nearest known line in `where`."""
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        where = f"{self.file}:{self.lines[near]}" if near in self.lines else self.file
        return Fault(where=where, path=show(path), expected=expected, found=found, fix=fix)


def read(text: str, *, file: str) -> Document:
    """Parse one YAML document; faults are collected in it, nothing is raised."""
    document = Document(file=file)
    if len(text) > MAX_CHARACTERS:
        document.faults.append(document.fault((), f"at most {MAX_CHARACTERS} characters", str(len(text))))
        return document
    yaml = _reader()
    try:
        _take(yaml, yaml.compose(text), document)
    except (YAMLError, RecursionError) as error:
        document.faults.append(_unreadable(document, error))
    return document


def read_all(text: str, *, file: str) -> list[Document]:
    """Parse the documents of a text, which `---` parts. What cannot be read is the last of them, with its fault."""
    if len(text) > MAX_CHARACTERS:
        return [read(text, file=file)]
    yaml, found = _reader(), list[Document]()
    try:
        for root in yaml.compose_all(text):
            document = Document(file=file)
            found.append(document)
            _take(yaml, root, document)
    except (YAMLError, RecursionError) as error:
        document = Document(file=file)
        document.faults.append(_unreadable(document, error))
        found.append(document)
    return found or [read(text, file=file)]


def _reader() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _PlainValues
    yaml.allow_duplicate_keys = True  # found below, all of them and with their lines
    return yaml


def _take(yaml: YAML, root: Node | None, document: Document) -> None:
    """The values below a root into the document, or its faults."""
    if root is None:
        document.faults.append(document.fault((), "a YAML mapping", "an empty file"))
    elif _walk(root, (), document) > MAX_NODES:
        document.faults.append(document.fault((), f"at most {MAX_NODES} values", "more, through aliases"))
    elif not document.faults:
        document.data = yaml.constructor.construct_document(root)
        _refuse_unspeakable(document.data, (), document)


def _unreadable(document: Document, error: Exception) -> Fault:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark
        where = document.file if mark is None else f"{document.file}:{mark.line + 1}:{mark.column + 1}"
        return Fault(where=where, path="(text)", expected="valid YAML", found=str(error.problem))
    found = str(error).splitlines()[0] if str(error) else type(error).__name__
    return document.fault((), "valid YAML", found)


def refusal(file: str, faults: Sequence[Fault]) -> BadInput:
    """All faults of a file in the order of its lines."""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return BadInput(f"{file} has {count}.", tuple(sorted(faults, key=lambda fault: _line(fault.where))))


def _line(where: str) -> int:
    numbers = [int(part) for part in where.split(":")[1:] if part.isdigit()]
    return numbers[0] if numbers else 0


def show(path: Path) -> str:
    """A path as people write it.

    >>> show(("rollout", "steps", 2, "canary", "weight"))
    'rollout.steps[2].canary.weight'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "(whole file)"


class _PlainValues(SafeConstructor):
    """Safe values only, and dates as the text they are."""


_PlainValues.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _walk(node: Node, path: Path, document: Document, seen: int = 0) -> int:
    """Note the lines, find duplicate keys, count the values."""
    seen += 1
    if seen > MAX_NODES:
        return seen
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = str(key.value)
            if name in first and name != "<<":
                found = f"a second one (first: line {first[name]})"
                fault = Fault(
                    where=f"{document.file}:{line}",
                    path=show((*path, name)),
                    expected="one key of this name",
                    found=found,
                    fix="remove one of them",
                )
                document.faults.append(fault)
            first.setdefault(name, line)
            document.lines.setdefault((*path, name), line)
            seen = _walk(value, (*path, name), document, seen)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            seen = _walk(item, (*path, index), document, seen)
    return seen


def _refuse_unspeakable(value: Any, path: Path, document: Document) -> None:
    """Keys that are no text and numbers that JSON has not: nothing of ours could write them down again."""
    match value:
        case dict():
            for key, item in value.items():
                if isinstance(key, str):
                    _refuse_unspeakable(item, (*path, key), document)
                else:
                    fix = f'quote it: "{key}"'
                    document.faults.append(document.fault((*path, str(key)), "text as a key", f"{key!r}", fix))
        case list():
            for index, item in enumerate(value):
                _refuse_unspeakable(item, (*path, index), document)
        case float() if not isfinite(value):
            document.faults.append(document.fault(path, "a finite number", str(value)))
        case None | bool() | int() | float() | str():
            return
        case _:
            document.faults.append(document.fault(path, "text, number, list or mapping", type(value).__name__))
