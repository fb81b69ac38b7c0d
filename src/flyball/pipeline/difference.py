"""What differs between the inputs of two experiments, in words: a sentence a difference, none where they are equal."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from flyball.core.ids import short
from flyball.core.record import Record
from flyball.pipeline import environment
from flyball.pipeline.code_changes import code_changes, text_change
from flyball.pipeline.identity import Experiment
from flyball.pipeline.inputs import Inputs
from flyball.pipeline.packing import CONTRACT

Blob = Callable[[str], bytes | None]  # SHA-256 in hex -> bytes; None: not here


class Difference(Record):
    """One thing that is otherwise."""

    part: str  # `data`, `code`, `contract`, `environment`, `seed`, `config.max_depth` ...
    text: str  # `7 -> 8`
    detail: str = ""  # unified diff of a file, where both texts are at hand

    def __str__(self) -> str:
        return f"{self.part}: {self.text}"


def differences(before: Inputs, after: Inputs, *, blob: Blob, rows: tuple[str, ...] | None = None) -> list[Difference]:
    """All that makes the second another experiment than the first.

    Args: blob: opens code and contract files, for their text. rows: how the training data differ, where both are here.
    """
    one, other = before.experiment, after.experiment
    found = list(_data(one, other, rows))
    changed = code_changes(before.code, after.code, blob)
    found += [Difference(part="code", text=each.text, detail=each.detail) for each in changed]
    found += _files(one, other, blob)
    words = environment.changes(before.environment, after.environment)
    if not words and one.env != other.env:
        words = (f"named by its {one.env.kind} form -> by its {other.env.kind} form, with the same versions",)
    found += [Difference(part="environment", text=text) for text in words]
    found += _fields(one, other)
    return found


def _data(one: Experiment, other: Experiment, rows: tuple[str, ...] | None) -> Iterator[Difference]:
    if one.snapshot != other.snapshot:
        texts = rows or (f"snapshot {short(one.snapshot)} -> {short(other.snapshot)}",)
        yield from (Difference(part="data", text=text) for text in texts)
    yield from _walk("data", _view(one), _view(other))


def _files(one: Experiment, other: Experiment, blob: Blob) -> Iterator[Difference]:
    """Contract, golden set, off-policy log, baselines: files that have a digest of their own in the document."""
    for role, name in (("contract", CONTRACT), ("golden", "golden set"), ("off_policy", "off-policy log")):
        left, right = (next(iter(_of_role(each, role).values()), None) for each in (one, other))
        if left != right:
            change = text_change(name, left, right, blob)
            yield Difference(part=role, text=change.text, detail=change.detail)
    before, after = (_of_role(each, "baseline") for each in (one, other))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            what = "added" if name not in before else "removed" if name not in after else "changed"
            yield Difference(part="baseline", text=f"{name} {what}")


def _fields(one: Experiment, other: Experiment) -> Iterator[Difference]:
    yield from _walk("seed", one.seed, other.seed)
    yield from _walk("config", _values(one), _values(other))
    yield from _walk("threshold", one.threshold, other.threshold)
    section, theirs = (each.experiment | {"tests": _without_files(each)} for each in (one, other))
    yield from _walk("experiment", section, theirs)
    yield from _walk("entrypoint", one.entrypoint, other.entrypoint)
    yield from _walk("runtime", one.runtime, other.runtime)
    if one.features != other.features:
        text = f"version {short(one.features.digest)} -> {short(other.features.digest)}"
        yield Difference(part="features", text=text)
    if one.evaluation.version != other.evaluation.version:
        yield Difference(part="evaluation", text=f"Flyball {one.evaluation.version} -> {other.evaluation.version}")
    elif one.evaluation != other.evaluation:
        text = f"other sources of Flyball {one.evaluation.version} under the same version"
        yield Difference(part="evaluation", text=text)
    if one.parents != other.parents:
        left, right = (", ".join(short(root) for root in each.parents) or "none" for each in (one, other))
        yield Difference(part="parents", text=f"{left} -> {right}")


def _walk(path: str, one: Any, other: Any) -> Iterator[Difference]:
    """Each leaf of two values that differs."""
    one, other = msgspec.to_builtins(one), msgspec.to_builtins(other)
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from _walk(f"{path}.{key}", one.get(key), other.get(key))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if list(one) != list(other):
            yield Difference(part=path, text=f"{_listed(one)} -> {_listed(other)}")
    elif one != other:
        yield Difference(part=path, text=f"{_said(one)} -> {_said(other)}")


def _said(value: Any) -> str:
    return "none" if value is None else str(value)


def _listed(values: Any) -> str:
    return ", ".join(_said(value) for value in values) or "none"


def _values(document: Experiment) -> dict[str, str]:
    """Configuration for people; a text that looks like a number is quoted, so that a change of type is seen."""
    return {name: repr(text) if kind == "str" else text for name, (kind, text) in document.config.items()}


def _view(document: Experiment) -> Any:
    return next(each.view for each in document.data if each.role == "train")


def _of_role(document: Experiment, role: str) -> dict[str, str]:
    """Hash of each file, by its name."""
    return {each.name: each.digest.removeprefix("sha256:") for each in document.data if each.role == role}


def _without_files(document: Experiment) -> dict[str, Any]:
    """The declared tests without the files that have a digest of their own."""
    tests: dict[str, Any] = dict(document.experiment.get("tests") or {})
    tests.pop("golden", None)
    if tests.get("off_policy") is not None:
        tests["off_policy"] = {key: each for key, each in tests["off_policy"].items() if key != "log"}
    return tests
