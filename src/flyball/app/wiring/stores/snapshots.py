"""Frozen data in a home: a folder a snapshot, named by its manifest root, holding Parquet."""

import os
from pathlib import Path

import polars as pl

from flyball.adapters.content.blobs import publish
from flyball.adapters.content.hashing import Hasher
from flyball.app.home import Home
from flyball.app.wiring.stores.mirror import Mirror, shared_store
from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault, Untrusted
from flyball.core.frames import conform, schema
from flyball.core.ids import Ids, short
from flyball.core.release import Origin, Snapshot
from flyball.pipeline.manifest import manifest
from flyball.pipeline.split import ROW

FILE = "data.parquet"


class SnapshotStore:
    """Freezes tables under `home.snapshots/<root>`."""

    def __init__(self, home: Home, ids: Ids) -> None:
        self._home = home
        self._ids = ids
        self._mirror = Mirror(home, shared_store())

    def freeze(
        self,
        table: pl.DataFrame,
        contract: DataContract,
        *,
        source: str,
        as_of: str | None,
        origin: Origin | None = None,
        backfills: tuple[str, ...] = (),
    ) -> Snapshot:
        """The contract's columns of this table, and ROW where it has it, as they are now.

        Raises: BadInput: a column cannot be brought to the contract's type. Unavailable: the shared store is away.
        """
        dtypes = schema(contract) | ({ROW: pl.Int64()} if ROW in table.columns else {})
        try:
            typed = conform(table, dtypes)
        except pl.exceptions.PolarsError as error:
            fault = Fault(where=source, path="columns", expected="values of the contract's types", found=str(error))
            raise BadInput("The data do not fit their contract.", (fault,), hint="flyball check names rows") from error
        draft = self._home.made().work / self._ids.new("snapshot")
        draft.mkdir(parents=True)
        typed.write_parquet(draft / FILE, compression="zstd")
        files = Hasher().scan(draft).files
        root = manifest(files).root
        target = self._place(root)
        if not publish(draft, target):
            os.utime(target)  # it is wanted again: no sweep takes it for forgotten
            (draft / FILE).unlink()
            draft.rmdir()
        self._mirror.keep("snapshots", root, target)
        known = ROW in typed.columns and typed.height > 0
        return Snapshot(
            root=root,
            files=files,
            rows=typed.height,
            source=source,
            as_of=as_of,
            first_row=int(typed[ROW].min()) if known else 1,  # type: ignore[arg-type]
            last_row=int(typed[ROW].max()) if known else typed.height,  # type: ignore[arg-type]
            origin=origin,
            backfills=backfills,
        )

    def folder(self, root: str) -> Path:
        """Where it is, fetched from the shared store if it is not here; whoever reads it verifies it.

        Raises: Untrusted: the shared store holds other bytes. Unavailable: it does not answer.
        """
        place = self._place(root)
        if not place.is_dir():
            self._mirror.fetch("snapshots", root, place, lambda draft: _check(draft, root))
        return place

    def _place(self, root: str) -> Path:
        return self._home.snapshots / root.removeprefix("sha256:")


def _check(folder: Path, root: str) -> None:
    found = manifest(Hasher().scan(folder).files).root
    if found != root:
        raise Untrusted(f"snapshot {short(root)}: the shared store holds {short(found)}")
