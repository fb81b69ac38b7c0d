"""Which experiment, release or snapshot of a ledger a digest means: whole, or any unambiguous beginning of it."""

from collections.abc import Iterable
from typing import Literal

from flyball.core import events as e
from flyball.core.errors import NotFound
from flyball.core.ids import short
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.core.release import Release

Kind = Literal["experiment", "release", "snapshot"]


class Known(Record):
    """One thing that has a digest."""

    kind: Kind
    digest: str
    service: str


class Digests:
    """Everything of a ledger that has a digest, read once."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.known: dict[tuple[str, str], Known] = {}
        self.releases: dict[str, Release] = {}
        self.of_experiment: dict[str, Release] = {}
        self.failed: dict[str, str] = {}  # experiment -> what its training said
        self._experiments: dict[str, set[str]] = {}  # release -> experiments that gave it
        for entry in entries:
            self._fold(entry)

    def find(self, text: str) -> Known:
        """Raises: NotFound: nothing, or more than one thing, begins like this."""
        digits = text.rsplit(":", 1)[-1].lower()
        found = [
            each
            for each in self.known.values()
            if each.digest == text
            or (
                digits
                and each.digest.rsplit(":", 1)[-1].startswith(digits)
                and (":" not in text or each.digest.startswith(text.rsplit(":", 1)[0] + ":"))
            )
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            hint = "`flyball ledger tail` shows the digests that exist"
            raise NotFound(f"no experiment, release or snapshot on this ledger begins with {text!r}", hint=hint)
        several = ", ".join(f"{each.kind} {short(each.digest)}" for each in found[:5])
        raise NotFound(f"{text!r} is ambiguous: {several}", hint="give more digits")

    def twins(self, root: str) -> frozenset[str]:
        """The experiments that gave this release, byte for byte."""
        return frozenset(self._experiments.get(root, ()))

    def _fold(self, entry: Entry) -> None:
        match entry.fact:
            case e.SnapshotTaken(snapshot=snapshot):
                self._know("snapshot", snapshot.root, entry)
            case e.TrainingStarted(experiment=experiment):
                self._know("experiment", experiment, entry)
            case e.TrainingFailed(experiment=experiment, error=error):
                self.failed[experiment] = error
            case e.ReleaseRegistered(release=release):
                self._know("experiment", release.experiment, entry)
                self._know("release", release.root, entry)
                self._experiments.setdefault(release.root, set()).add(release.experiment)
                self.releases[release.root] = self.of_experiment[release.experiment] = release
            case _:
                return

    def _know(self, kind: Kind, digest: str, entry: Entry) -> None:
        self.known[(kind, digest)] = Known(kind=kind, digest=digest, service=entry.subject)
