"""The tables that a contract's custom clauses compare with: files beside the contract."""

from pathlib import Path
from typing import TYPE_CHECKING

from flyball.core.contract import DataContract

if TYPE_CHECKING:
    import polars as pl


def baselines(contract: DataContract, folder: Path) -> dict[str, "pl.DataFrame"]:
    """Each by the name in the contract.

    Args:
        folder: where the contract stands.

    Raises: BadInput: a file is absent or cannot be read.
    """
    from flyball.app.declared import read_table

    names = {clause.baseline for clause in contract.distributions if isinstance(clause.baseline, str)}
    return {name: read_table(folder / name) for name in sorted(names)}
