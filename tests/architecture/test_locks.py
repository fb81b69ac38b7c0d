"""The locks are whole: hashes on every requirement, no index in them, and all that a folder needs to be installed."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("runtime.txt", "dev.txt", "peers.txt", "clients.txt")


def entries(lock: str) -> list[str]:
    """A lock's requirements, each with its hashes on one line."""
    text = (ROOT / "requirements" / lock).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


def versions(lock: str) -> set[str]:
    return {entry.split(" --hash")[0].strip() for entry in entries(lock)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed_and_no_index_is_named(lock: str) -> None:
    assert len(entries(lock)) > 30
    assert not [entry for entry in entries(lock) if "==" not in entry or "--hash=sha256:" not in entry]
    assert "://" not in " ".join(entries(lock))


def test_the_developers_lock_holds_all_of_the_runtime_lock() -> None:
    assert versions("runtime.txt") <= versions("dev.txt")


def test_every_declared_dependency_is_locked_at_a_version_it_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["charts"]]
    locked = [Requirement(entry) for entry in versions("runtime.txt")]
    for requirement in map(Requirement, declared):
        pins = [
            next(iter(pin.specifier)).version
            for pin in locked
            if canonicalize_name(pin.name) == canonicalize_name(requirement.name)
        ]
        assert pins, f"{requirement.name} is not locked: make lock"
        assert all(requirement.specifier.contains(pin) for pin in pins), f"{requirement}: {pins}"
