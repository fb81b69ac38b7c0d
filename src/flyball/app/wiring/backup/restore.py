"""Lay a backup back into a new home, and say whether all of it is as it was laid aside."""

import shutil
from collections.abc import Callable
from pathlib import Path

from flyball.app.home import Home
from flyball.app.wiring.backup import manifest as listing
from flyball.app.wiring.ledger import audit
from flyball.core.errors import BadInput, Fault, Unavailable
from flyball.core.record import Record


class Restored(Record):
    """What `flyball restore` prints."""

    home: str
    entries: int
    newest_at: str
    verified: bool  # chain, signed heads and roots of the ledger
    differences: tuple[str, ...]  # files that are not as they were laid aside, and what is wrong with the ledger


def restore(folder: Path, home: Home, *, on_file: Callable[[str], None] = lambda _: None) -> Restored:
    """A restoration that was killed leaves a home without a ledger: the ledger is laid back last.

    Raises: BadInput: no whole backup, or the home is not new. Unavailable: something cannot be written.
    """
    manifest = listing.read(folder)
    if home.root.exists() and any(home.root.iterdir()):
        fault = Fault(where="--home", path=str(home.root), expected="a new or empty folder", found="a folder in use")
        raise BadInput("A backup is laid back into a home of its own.", (fault,))
    differences = listing.differences(folder, manifest)
    try:
        for name in sorted(manifest.files, key=lambda each: each in ("ledger.db", "ledger.url")):
            if not (folder / name).is_file():
                continue
            to = home.made().root / name
            to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            on_file(name)
            shutil.copy2(folder / name, to)
    except OSError as error:
        raise Unavailable(f"{error.filename or home.root}: {error.strerror}", hint="look at disk and space") from error
    verdict = audit(home)
    if not verdict.ok:
        differences = (*differences, f"the ledger does not verify: {verdict.reason}")
    if verdict.events < manifest.entries:
        differences = (*differences, f"the ledger has {verdict.events} entries, {manifest.entries} were laid aside")
    return Restored(
        home=str(home.root),
        entries=verdict.events,
        newest_at=manifest.newest_at,
        verified=verdict.ok,
        differences=differences,
    )
