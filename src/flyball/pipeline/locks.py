"""Hash-locked files as pins: `requirements.txt` with hashes, `pylock.toml` (PEP 751), `uv.lock`."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

from flyball.core.errors import BadInput, Fault
from flyball.pipeline.environment import Lock, Locked

NAMES = ("pylock.toml", "uv.lock", "requirements.lock", "requirements.txt")
"""Looked for beside service.yaml, in this order."""

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def parse_lock(text: str, *, file: str) -> Lock | None:
    """The pins of a lock file; None where it pins no hashes and so locks nothing (a plain requirements.txt).

    Args: file: its name, which tells the format.
    Raises: BadInput: it cannot be read as what its name says.

    >>> parse_lock("numpy==2.4.6 --hash=sha256:" + "a" * 64, file="requirements.txt").distributions[0].version
    '2.4.6'
    >>> parse_lock("numpy>=2", file="requirements.txt") is None
    True
    """
    if not file.endswith((".toml", "uv.lock")):
        return _requirements(text, file)
    try:
        packages = tomllib.loads(text).get("packages" if file.endswith(".toml") else "package", [])
        if file.endswith(".toml"):
            pins = [(package, tuple(_pylock_files(package))) for package in packages if "version" in package]
        else:
            # what comes from a folder (`editable`, `virtual`) is code of its own and has no artefact
            registry = [package for package in packages if "registry" in package.get("source", {})]
            pins = [(package, tuple(_uv_files(package))) for package in registry]
        locked = [_locked(package["name"], package["version"], hashes) for package, hashes in pins]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        fault = Fault(where=file, path="(file)", expected="a lock file", found=f"{type(error).__name__}: {error}")
        raise BadInput(f"{file} cannot be read as a lock.", (fault,), hint="write it again with its tool") from error
    # uv.lock serves every platform and extra: nothing in it has to be installed here
    free = {each.name for each in locked} if not file.endswith(".toml") else set()
    free |= {_normal(package["name"]) for package, _ in pins if package.get("marker")}
    return _lock(file, locked, free)


def _requirements(text: str, file: str) -> Lock | None:
    locked, free = [], set()
    for line in _logical_lines(text):
        pin = _PIN.match(line)
        if pin is None:
            continue
        locked.append(_locked(pin[1], pin[2], _HASH.findall(line)))
        if ";" in line.partition("--hash")[0]:
            free.add(_normal(pin[1]))
    return _lock(file, locked, free) if any(each.artifacts for each in locked) else None


def _lock(file: str, locked: list[Locked], free: set[str]) -> Lock:
    """Sorted. A name with several versions has one for each platform or Python: any of them keeps the lock."""
    merged: dict[tuple[str, str], set[str]] = {}
    for each in locked:
        merged.setdefault((each.name, each.version), set()).update(each.artifacts)
    distributions = tuple(_locked(name, version, hashes) for (name, version), hashes in sorted(merged.items()))
    return Lock(file=file, distributions=distributions, conditional=tuple(sorted(free)))


def _locked(name: str, version: str, hashes: Iterable[str]) -> Locked:
    return Locked(name=_normal(name), version=version, artifacts=tuple(sorted(set(hashes))))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pylock_files(package: dict[str, Any]) -> Iterator[str]:
    for file in [*package.get("wheels", []), package.get("sdist"), package.get("archive")]:
        if file and "sha256" in file.get("hashes", {}):
            yield file["hashes"]["sha256"]


def _uv_files(package: dict[str, Any]) -> Iterator[str]:
    for file in [*package.get("wheels", []), package.get("sdist")]:
        if file and str(file.get("hash", "")).startswith("sha256:"):
            yield file["hash"].removeprefix("sha256:")


def _logical_lines(text: str) -> Iterator[str]:
    held = ""
    for line in text.splitlines():
        bare = "" if line.lstrip().startswith("#") else line.strip()
        held += bare.removesuffix("\\") + " "
        if not bare.endswith("\\"):
            yield held.strip()
            held = ""
    yield held.strip()
