"""The environment of a training as a digest: the container image where there is one, else the lock that is kept, else
what is installed; with its assurance grade, and in words what differs between two of them.

Order: `env-oci/v1` (the platform manifest's digest, and what is installed in it, since a container can be changed while
it runs), `env-lock/v1` (names, versions and artefact hashes of a hash-locked file), `env-installed/v1` (names, versions
and RECORD hashes). An installation that has drifted from its lock is not named by the lock: it falls to the third form.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec.structs import replace

from flyball.core.codec import digest
from flyball.core.ids import Digest
from flyball.core.record import Record
from flyball.core.release import Grade
from flyball.pipeline import beside as outside
from flyball.pipeline.beside import Beside

Kind = Literal["oci", "lock", "installed"]
BOOTSTRAP = frozenset({"pip", "setuptools", "wheel"})  # a fresh environment brings them; locks leave them out


class Platform(Record):
    """What the same packages may behave differently on."""

    os: str
    arch: str
    libc: str
    implementation: str  # `cpython`
    python: str  # `3.11.2`
    abi: str  # soabi tag


class Distribution(Record):
    """One installed distribution; `record` is the SHA-256 over the lines of RECORD that no installer adds."""

    name: str  # normalised as PEP 503
    version: str
    record: str | None  # hex; None where the installer left none


class Locked(Record):
    """One distribution as a lock file pins it."""

    name: str
    version: str
    artifacts: tuple[str, ...]  # SHA-256 of each file that the lock lets an installer take, hex, sorted


class Lock(Record):
    """A hash-locked file as read. `conditional` names carry a marker: they need not be installed here."""

    file: str  # its name, for people
    distributions: tuple[Locked, ...]  # of one name several versions, where they depend on the platform
    conditional: tuple[str, ...] = ()


class Named(Record):
    """The environment as the experiment's document names it."""

    kind: Kind
    digest: Digest
    platform: Platform


class Environment(Record):
    """The name, and what stands behind it."""

    name: Named
    grade: Grade
    reason: str  # why this grade, in words
    installed: tuple[Distribution, ...]
    locked: tuple[Locked, ...] = ()  # kind `lock`: of the installed, as the lock pins them
    image: str | None = None  # kind `oci`: digest of the platform manifest
    drift: tuple[str, ...] = ()  # how the installation differs from a lock that was found
    beside: tuple[Beside, ...] = ()  # code that no installer recorded, in the order of imports


def environment(
    platform: Platform,
    installed: tuple[Distribution, ...],
    *,
    image: str | None = None,
    lock: Lock | None = None,
    beside: tuple[Beside, ...] = (),
) -> Environment:
    """Name an environment by the best evidence there is; code beside it goes into each of the names.

    >>> here = Platform(os="linux", arch="x86_64", libc="glibc 2.36", implementation="cpython", python="3.11", abi="")
    >>> numpy = Distribution(name="numpy", version="2.4.6", record=None)
    >>> environment(here, (numpy,)).grade
    'C'
    >>> lock = Lock(file="uv.lock", distributions=(Locked(name="numpy", version="2.4.5", artifacts=("ab",)),))
    >>> environment(here, (numpy,), lock=lock).drift
    ('numpy 2.4.6 is installed, uv.lock pins 2.4.5',)
    """
    found = _by_evidence(platform, installed, image, lock)
    if not beside:
        return found
    code = outside.named(beside)
    name = replace(found.name, digest=digest("flyball/env-beside/v1", {"environment": found.name.digest, "code": code}))
    grade, words = outside.graded(found.grade, beside)
    return replace(found, name=name, grade=grade, reason=f"{found.reason}; {words}", beside=beside)


def _by_evidence(
    platform: Platform, installed: tuple[Distribution, ...], image: str | None, lock: Lock | None
) -> Environment:
    plain = _installed(platform, installed)
    if image is not None:
        reason = f"image {image}, and what is installed in it"
        found = digest("flyball/env-oci/v1", {"schema": "env-oci/v1", "image": image, "installed": plain})
        name = Named(kind="oci", digest=found, platform=platform)
        return Environment(name=name, grade="B", reason=reason, installed=installed, image=image)
    away = drift(lock, installed) if lock is not None else ()
    if lock is not None and not away:
        pinned = {(each.name, each.version): each for each in lock.distributions}
        places = [(each.name, each.version) for each in installed]
        locked = tuple(pinned[place] for place in places if place in pinned)
        document = {"schema": "env-lock/v1", "platform": platform, "distributions": locked}
        name = Named(kind="lock", digest=digest("flyball/env-lock/v1", document), platform=platform)
        reason = f"{lock.file} pins each installed distribution by hash"
        return Environment(name=name, grade="B", reason=reason, installed=installed, locked=locked)
    reason = "no container image and no lock file: what is installed, as the installer recorded it"
    if lock is not None:
        reason = f"downgraded: the installation has drifted from {lock.file} in {len(away)} places"
    name = Named(kind="installed", digest=plain, platform=platform)
    return Environment(name=name, grade="C", reason=reason, installed=installed, drift=away)


def drift(lock: Lock, installed: Iterable[Distribution]) -> tuple[str, ...]:
    """How an installation differs from its lock, a sentence each: another version, not pinned, pinned without a hash,
    missing though no marker excuses it.
    """
    pinned: dict[str, dict[str, Locked]] = {}
    for pin in lock.distributions:
        pinned.setdefault(pin.name, {})[pin.version] = pin
    present: set[str] = set()
    words = []
    for each in installed:
        present.add(each.name)
        pins = pinned.get(each.name, {})
        if not pins and each.name in BOOTSTRAP:
            continue
        if not pins:
            words.append(f"{each.name} {each.version} is installed, {lock.file} does not name it")
        elif each.version not in pins:
            words.append(f"{each.name} {each.version} is installed, {lock.file} pins {' or '.join(pins)}")
        elif not pins[each.version].artifacts:
            words.append(f"{each.name} {each.version} has no hash in {lock.file}")
    missing = pinned.keys() - present - set(lock.conditional)
    words += [f"{name} {' or '.join(pinned[name])} of {lock.file} is not installed" for name in sorted(missing)]
    return tuple(words)


def changes(before: Environment, after: Environment) -> tuple[str, ...]:
    """What differs, a sentence each: `polars 2.0.1 -> 2.1.0`; empty where the digests are equal.

    Where a lock names the first, the second keeps it if it has the same versions: how they were installed is no matter.
    """
    if before.name == after.name:
        return ()
    words = list(_platforms(before.name.platform, after.name.platform))
    if before.image != after.image:
        words.append(f"image {before.image or 'none'} -> {after.image or 'none'}")
    kinds = {before.name.kind, after.name.kind}
    words += _distributions(before.installed, after.installed, records="lock" not in kinds)
    if not words and kinds == {"lock"}:
        pinned = {each.name: each for each in before.locked}
        words += [f"{each.name}: other artefacts" for each in after.locked if pinned[each.name] != each]
    return (*words, *outside.changes(before.beside, after.beside))


def _installed(platform: Platform, installed: tuple[Distribution, ...]) -> Digest:
    document = {"schema": "env-installed/v1", "platform": platform, "distributions": installed}
    return digest("flyball/env-installed/v1", document)


def _platforms(before: Platform, after: Platform) -> Iterator[str]:
    for name in Platform.__struct_fields__:
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            yield f"{name} {one} -> {other}"


def _distributions(
    before: tuple[Distribution, ...], after: tuple[Distribution, ...], *, records: bool
) -> Iterator[str]:
    left, right = ({each.name: each for each in side} for side in (before, after))
    for name in sorted(left.keys() | right.keys()):
        one, other = left.get(name), right.get(name)
        if other is None and one is not None:
            yield f"{name} {one.version} is not installed"
        elif one is None and other is not None:
            yield f"{name} {other.version} is installed in addition"
        elif one is not None and other is not None and one.version != other.version:
            yield f"{name} {one.version} -> {other.version}"
        elif one is not None and other is not None and records and one.record != other.record:
            yield f"{name} {one.version}: other files under the same version"
