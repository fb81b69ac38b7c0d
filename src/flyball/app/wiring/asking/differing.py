"""Gathers two experiments, releases or snapshots of a home, and lets `pipeline.difference` say what differs."""

from contextlib import closing
from typing import Any

import polars as pl

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.blobs import Blobs
from flyball.adapters.ids import TimeIds
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.stores.digests import Digests, Known
from flyball.app.wiring.stores.experiments import ExperimentStore
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.app.wiring.stores.snapshots import SnapshotStore
from flyball.core.errors import NotFound, Untrusted
from flyball.core.ids import short
from flyball.core.record import Record
from flyball.pipeline.difference import Difference, differences
from flyball.pipeline.manifest import Manifest
from flyball.pipeline.manifest import differences as file_changes
from flyball.pipeline.packing import BESIDE
from flyball.pipeline.row_changes import row_changes
from flyball.pipeline.run.data import manifest_of


class Side(Record):
    """A metric of two releases, side by side."""

    name: str
    a: float | None
    b: float | None


class Compared(Record):
    """What `flyball diff` prints."""

    same: bool
    a: Known
    b: Known
    differences: tuple[Difference, ...]
    metrics: tuple[Side, ...] = ()


class Comparing:
    """Over one home; reads only."""

    def __init__(self, home: Home) -> None:
        if not home.has_ledger:
            raise NotFound(f"no ledger in {home.root}", hint="name the folder by --home or FLYBALL_HOME")
        with closing(open_ledger(home)) as ledger:
            self._digests = Digests(ledger.read())
        self._experiments, self._blobs = ExperimentStore(home), Blobs(home.blobs)
        self._snapshots, self._releases = SnapshotStore(home, TimeIds(SystemClock())), ReleaseStore(home)

    def compare(self, a: str, b: str) -> Compared:
        """Raises: NotFound: a digest that nobody knows, or inputs that are not in this home."""
        one, other = self._digests.find(a), self._digests.find(b)
        if "snapshot" in (one.kind, other.kind):
            found = self._of_snapshots(one, other)
            return Compared(same=not found, a=one, b=other, differences=tuple(found))
        found = self._of_inputs(one, other)
        left, right = (self._digests.releases.get(each.digest) for each in (one, other))
        metrics: tuple[Side, ...] = ()
        if left is not None and right is not None:
            found += self._of_files(left.root, right.root)
            metrics = tuple(
                Side(name=name, a=_value(left.metrics, name), b=_value(right.metrics, name))
                for name in sorted(left.metrics.keys() | right.metrics.keys())
            )
        return Compared(same=not found, a=one, b=other, differences=tuple(found), metrics=metrics)

    def _of_inputs(self, one: Known, other: Known) -> list[Difference]:
        names = [self._experiment(each) for each in (one, other)]
        if names[0] == names[1]:
            return []
        before, after = (self._experiments.get(name) for name in names)
        rows = None
        if before.snapshot.root != after.snapshot.root:
            key = before.declaration.get("data", {}).get("key")
            rows = self._rows(before.snapshot.root, after.snapshot.root, key)
        return differences(before, after, blob=self._blob, rows=rows)

    def _of_snapshots(self, one: Known, other: Known) -> list[Difference]:
        roots = [self._snapshot(each) for each in (one, other)]
        if roots[0] == roots[1]:
            return []
        words = self._rows(*roots) or (f"snapshot {short(roots[0])} -> {short(roots[1])}: the rows are not here",)
        return [Difference(part="data", text=text) for text in words]

    def _of_files(self, left: str, right: str) -> list[Difference]:
        """Files of the packages; nothing where one of them is gone."""
        if left == right:
            return []
        found: list[Manifest] = []
        for root in (left, right):
            folder = self._releases.folder(root)
            if not folder.is_dir():
                return []
            found.append(manifest_of(folder, without=BESIDE))
        return [Difference(part="release", text=text) for text in file_changes(*found)]

    def _rows(self, before: str, after: str, key: str | None = None) -> tuple[str, ...] | None:
        """None where the bytes of one of the two are not here, or no table."""
        tables = []
        for root in (before, after):
            files = sorted(self._snapshots.folder(root).glob("*.parquet"))
            try:
                tables.append(pl.concat([pl.read_parquet(file) for file in files]))
            except (OSError, ValueError, pl.exceptions.PolarsError):
                return None
        words = row_changes(*tables, part="the data", key=key)
        return words or ("the same rows in other bytes",)

    def _experiment(self, known: Known) -> str:
        if known.kind == "release":
            return self._digests.releases[known.digest].experiment
        return known.digest

    def _snapshot(self, known: Known) -> str:
        if known.kind == "snapshot":
            return known.digest
        return self._experiments.get(self._experiment(known)).snapshot.root

    def _blob(self, name: str) -> bytes | None:
        try:
            return self._blobs.get(f"sha256:{name}")
        except (NotFound, Untrusted):
            return None


def _value(metrics: dict[str, Any], name: str) -> float | None:
    found = metrics.get(name)
    return None if found is None else float(found.value)
