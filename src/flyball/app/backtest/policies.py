"""A policy that is asked about: a whole service.yaml, a file that changes part of one, or one value of a sweep."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from flyball.app.backtest.sweep import Sweep
from flyball.app.declared import read_text
from flyball.contracts.declaration.service_file import declaration, parse
from flyball.contracts.yaml_text import read
from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record
from flyball.core.service import Service

AS_RECORDED = "as recorded"
SECTIONS = ("monitor", "retrain", "rollout", "autonomy")  # of a declaration: what a backtest can judge
NAMED = "policy"  # of a whole declaration: what differs in it is told, and not judged; the recorded rules stand


class Policy(Record):
    """A recorded declaration with other monitor, retraining, rollout or autonomy."""

    name: str
    service: Service
    value: float | None = None  # of the swept setting; None: it is none of a sweep


def policies(
    base: Service, files: Sequence[Path], sweeps: Sequence[Sweep], *, first: str = AS_RECORDED
) -> tuple[Policy, ...]:
    """The recorded declaration first, called `first`, then each file, then each value of each sweep.

    Raises: BadInput with every fault of all of them.
    """
    found, faults = [Policy(name=first, service=base)], list[Fault]()
    names = _names(files)
    for file, name in zip(files, names, strict=True):
        try:
            found.append(Policy(name=name, service=read_policy(file, base)))
        except BadInput as error:
            faults += error.faults
    for sweep in sweeps:
        for value in sweep.values:
            name = f"{sweep.path}={value:.6g}"
            try:
                found.append(Policy(name=name, service=_with(base, sweep.path, value), value=float(value)))
            except BadInput as error:
                faults += error.faults
    if faults:
        # a misspelt setting of a sweep is one fault, however many values it has
        raise BadInput("The policies are faulty.", tuple(dict.fromkeys(faults)))
    return tuple(found)


def is_whole(file: Path) -> bool:
    """Whether a policy is a service's folder or its service.yaml, not a part of one. Raises: BadInput: unreadable."""
    if file.is_dir():
        return True
    data = read(read_text(file, where=str(file)), file=file.name).data
    return isinstance(data, dict) and "kind" in data


def read_policy(file: Path, base: Service) -> Service:
    """The recorded declaration with the judged sections that a file gives; of a whole service.yaml these four, and its
    `policy`, so that it can be told what of it is not judged.

    Raises: BadInput.
    """
    path = file / "service.yaml" if file.is_dir() else file
    text = read_text(path, where=str(path))
    document = read(text, file=path.name)
    data = document.data
    if isinstance(data, dict) and ("kind" in data or "apiVersion" in data):
        whole = parse(text, file=path.name)
        return replace(base, **{name: getattr(whole, name) for name in (*SECTIONS, NAMED)})
    faults = list(document.faults)
    if isinstance(data, dict):
        expected = f"one of {', '.join(SECTIONS)}, or a whole service.yaml"
        faults += [document.fault((str(key),), expected, str(key)) for key in data if key not in SECTIONS]
        data_known = {key: value for key, value in data.items() if key in SECTIONS}
    else:
        data_known = {}
        faults += [] if faults else [document.fault((), "a mapping", type(data).__name__)]
    try:
        changed = parse(text, file=path.name, over=_plain(base)) if data_known else base
    except BadInput as error:
        known = {(fault.where, fault.path) for fault in faults}
        faults += [fault for fault in error.faults if (fault.where, fault.path) not in known]
        changed = base
    if faults:
        raise BadInput(f"{path.name} has faults.", tuple(faults))
    return changed


def changed_settings(base: Service, other: Service) -> tuple[str, ...]:
    """Paths of the settings in which two declarations differ, in the judged sections and in `policy`, sorted."""
    found: set[str] = set()
    for name in (*SECTIONS, NAMED):
        before, now = msgspec.to_builtins(getattr(base, name)), msgspec.to_builtins(getattr(other, name))
        _differences(name, before, now, found)
    return tuple(sorted(found))


def is_judged(setting: str) -> bool:
    """Whether a backtest can judge a setting at all.

    >>> is_judged("monitor.window_rows"), is_judged("policy.rules"), is_judged("policy.approvals_per_day")
    (True, False, False)
    """
    return setting.partition(".")[0] in SECTIONS


def _differences(path: str, before: Any, now: Any, found: set[str]) -> None:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before.keys() | now.keys():
            _differences(f"{path}.{key}", before.get(key), now.get(key), found)
    elif before != now:
        found.add(path)


def _with(base: Service, path: str, value: float) -> Service:
    """One setting with another value. Raises: BadInput, its place the option."""
    nested: Any = value
    for key in reversed(path.split(".")):
        nested = {key: nested}
    where = "--sweep"
    if path.split(".")[0] not in SECTIONS:
        fault = Fault(where=where, path=path, expected=f"a setting of {', '.join(SECTIONS)}", found=path)
        raise BadInput("The sweep is faulty.", (fault,))
    try:
        return parse(msgspec.json.encode(nested).decode(), file=where, over=_plain(base))
    except BadInput as error:
        faults = tuple(replace(fault, where=f"{where} {path}={value:.6g}") for fault in error.faults)
        raise BadInput("The sweep is faulty.", faults) from error


def _plain(base: Service) -> dict[str, Any]:
    """As a file would hold it: lists where the record has tuples."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(declaration(base)))
    return plain


def _names(files: Sequence[Path]) -> list[str]:
    """The shortest of name and path that tells them apart."""
    short = [(file.parent if file.name == "service.yaml" and file.parent.name else file).stem for file in files]
    return [
        name if short.count(name) == 1 and name != AS_RECORDED else str(file)
        for name, file in zip(short, files, strict=True)
    ]
