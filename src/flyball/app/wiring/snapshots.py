"""Frozen data in a home: a folder a snapshot, named by its manifest root, holding Parquet."""

from pathlib import Path

import polars as pl

from flyball.adapters.blobs import publish
from flyball.app.home import Home
from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault
from flyball.core.frames import conform, schema
from flyball.core.ids import Ids
from flyball.core.release import Snapshot
from flyball.pipeline.manifest import entry, manifest
from flyball.pipeline.split import ROW

FILE = "data.parquet"


class SnapshotStore:
    """Freezes tables under `home.snapshots/<root>`."""

    def __init__(self, home: Home, ids: Ids) -> None:
        self._home = home
        self._ids = ids

    def freeze(self, table: pl.DataFrame, contract: DataContract, *, source: str, as_of: str | None) -> Snapshot:
        """The contract's columns of this table, and ROW where it has it, as they are now.

        Raises: BadInput: a column cannot be brought to the contract's type.
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
        files = (entry(FILE, (draft / FILE).read_bytes()),)
        root = manifest(files).root
        if not publish(draft, self.folder(root)):
            (draft / FILE).unlink()
            draft.rmdir()
        known = ROW in typed.columns and typed.height > 0
        return Snapshot(
            root=root,
            files=files,
            rows=typed.height,
            source=source,
            as_of=as_of,
            first_row=int(typed[ROW].min()) if known else 1,  # type: ignore[arg-type]
            last_row=int(typed[ROW].max()) if known else typed.height,  # type: ignore[arg-type]
        )

    def folder(self, root: str) -> Path:
        return self._home.snapshots / root.removeprefix("sha256:")
