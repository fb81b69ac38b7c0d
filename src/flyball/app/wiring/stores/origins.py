"""The raw files of a source by digest: manifest, grade and pin, with the home's cache of hashes.

A file that has not changed is looked at and not read; each scan reads a sample all the same, and `FLYBALL_PARANOID=1`
makes it read everything.
"""

import os
import random
import sys
from contextlib import closing
from pathlib import Path

from flyball.adapters.content.blobs import Blobs
from flyball.adapters.content.hashing import Hashed, Hasher
from flyball.adapters.content.stat_cache import StatCache
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.sources import base_of, files_of
from flyball.core.clock import Clock
from flyball.core.codec import canonical
from flyball.core.errors import BadInput, Fault, Unavailable
from flyball.core.release import Origin
from flyball.pipeline.grades import grade
from flyball.pipeline.manifest import manifest

PARANOID_VARIABLE = "FLYBALL_PARANOID"


class Origins:
    """Names the raw files of sources."""

    def __init__(self, home: Home, clock: Clock, dice: random.Random) -> None:
        self._home, self._clock, self._dice = home, clock, dice
        self._blobs = Blobs(home.blobs)

    def of(self, declared: Declared) -> Origin:
        """The origin as it is now; the manifest itself becomes a blob.

        Raises: BadInput: there are no such files. Unavailable: one cannot be read, or changes meanwhile.
        """
        found = self._scan(declared.source, self._dice)
        for name in found.lied:
            sys.stderr.write(
                f"{name}: other bytes than when it was last read, in the same state; all files were read\n"
            )
        whole = manifest(found.files)
        pin = declared.service.data.pin
        return Origin(
            root=whole.root,
            files=len(whole.files),
            size=sum(file.size for file in whole.files),
            manifest=self._blobs.put(canonical(whole)),
            grade=grade(kept=False, pin=pin, digest=True, now=self._clock.now()),
            pin=pin,
        )

    def check_unchanged(self, declared: Declared, origin: Origin) -> None:
        """Nothing where the files are still those. Raises: Unavailable: they changed while they were read."""
        if manifest(self._scan(declared.source, None).files).root != origin.root:
            raise Unavailable(
                f"{declared.service.data.source} changed while it was read", hint="run again when nobody writes to it"
            )

    def _scan(self, source: Path, dice: random.Random | None) -> Hashed:
        base, names = _named(source)
        with closing(StatCache(self._home.made().cache / "hashes.db")) as cache:
            hasher = Hasher(
                cache,
                now_ns=lambda: int(self._clock.now().timestamp() * 1e9),
                dice=dice,
                paranoid=os.environ.get(PARANOID_VARIABLE, "") not in ("", "0"),
            )
            return hasher.scan(base, names)


def _named(source: Path) -> tuple[Path, list[str]]:
    """A folder and the files in it. The source itself may be reached through links; what a folder holds may not be."""
    if source.is_file():
        real = source.resolve()
        return real.parent, [real.name]
    base, files = base_of(source), files_of(source)
    faults = []
    for path in files:
        if not path.exists():
            fix = "" if path.is_absolute() else "relative to the current folder; FLYBALL_DATA names the folder of data"
            faults.append(_fault(path, "a file that can be read", "nothing of that name", fix))
        elif any(part.is_symlink() for part in (path, *path.parents) if part != base and part.is_relative_to(base)):
            faults.append(_fault(path, "a regular file", "a symbolic link", "copy it, or name its target"))
    if faults:
        raise BadInput(f"{source} cannot be named by its bytes.", tuple(faults))
    return base, [path.relative_to(base).as_posix() for path in files]


def _fault(path: Path, expected: str, found: str, fix: str) -> Fault:
    return Fault(where=str(path), path="(file)", expected=expected, found=found, fix=fix)
