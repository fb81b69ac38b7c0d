"""Backups on the ledger: each service of a home says that it was laid aside, and which backup is still whole.

The fact comes after the backup's own list, so a backup that is on record came to its end; one that was killed between
the two is whole and not on record, which costs nothing but a figure.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from flyball.app.home import Home
from flyball.app.wiring.backup import manifest as listing
from flyball.app.wiring.ledger import open_ledger
from flyball.core import events as e
from flyball.core.errors import BadInput


def put_on_record(home: Home, folder: str, listed: listing.Manifest) -> None:
    """Crash point: killed between two services, the others' facts are missing; the backup is whole all the same.

    Raises: Unavailable: the ledger cannot be written; the backup is whole all the same.
    """
    with closing(open_ledger(home)) as ledger:
        services = {entry.fact.service for entry in ledger.read() if isinstance(entry.fact, e.ServiceDeclared)}
        for service in sorted(services):  # an append is of one service
            fact = e.BackupMade(
                service=service,
                folder=folder,
                made_at=listed.made_at,
                entries=listed.entries,
                newest_at=listed.newest_at,
                size=sum(each.size for each in listed.files.values()),
            )
            ledger.append([fact])


def newest_whole(backups: Sequence[e.BackupMade]) -> tuple[e.BackupMade | None, tuple[str, ...]]:
    """The newest that is there as it was laid aside, each file compared by its hash; and what was wrong with those
    that are newer, in words. None: none of them is."""
    wrong: list[str] = []
    for made in reversed(backups):
        folder = Path(made.folder)
        try:
            listed = listing.read(folder)
        except BadInput:
            wrong.append(f"{folder} is no whole backup any more")
            continue
        if listed.made_at != made.made_at:
            wrong.append(f"{folder} holds another backup than the one of {made.made_at}")
        elif differs := listing.differences(folder, listed):
            wrong.append(f"{folder}: {differs[0]}" + (f", and {len(differs) - 1} more" if len(differs) > 1 else ""))
        else:
            return made, tuple(wrong)
    return None, tuple(wrong)
