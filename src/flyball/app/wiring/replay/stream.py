"""The recorded stream of a replay: several files, one after the other, in their own order."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from flyball.app.declared import read_table
from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault
from flyball.core.frames import conform, schema
from flyball.pipeline.split import ROW


def read_stream(files: Sequence[Path], contract: DataContract, label: str) -> pl.DataFrame:
    """The contract's columns of all files, and ROW: 1 for the first row of the first file.

    Raises: BadInput: a file is faulty, lacks the label, or holds values that are not of the contract's types.
    """
    dtypes = schema(contract)
    parts, faults = [], []
    for file in files:
        table = read_table(file, needed=(label,), contract=contract)
        try:
            parts.append(conform(table, dtypes))
        except pl.exceptions.PolarsError as error:
            faults.append(Fault(where=str(file), path="columns", expected="the contract's types", found=str(error)))
    if faults:
        raise BadInput("The stream does not fit the contract.", tuple(faults), hint="flyball check names the rows")
    return pl.concat(parts).with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64))
