"""The tables that a contract's custom clauses compare with: files beside the contract.

They decide what a training accepts, so the experiment digest names each by the hash of its bytes.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    import polars as pl


def baselines(contract: DataContract, folder: Path) -> dict[str, "pl.DataFrame"]:
    """Each by the name in the contract.

    Args:
        folder: where the contract stands.

    Raises: BadInput: a file is absent or cannot be read.
    """
    from flyball.app.declared import read_table

    return {name: read_table(folder / name) for name in _names(contract)}


def baseline_files(contract: DataContract, folder: Path) -> dict[str, bytes]:
    """The same tables as they lie there, byte for byte.

    Raises: BadInput with every file that cannot be read.
    """
    found: dict[str, bytes] = {}
    faults: list[Fault] = []
    for name in _names(contract):
        try:
            found[name] = (folder / name).read_bytes()
        except OSError as error:
            faults.append(
                Fault(where=name, path="(file)", expected="a file that can be read", found=str(error.strerror))
            )
    if faults:
        raise BadInput("The contract compares with tables that cannot be read.", tuple(faults))
    return found


def _names(contract: DataContract) -> list[str]:
    return sorted({clause.baseline for clause in contract.distributions if isinstance(clause.baseline, str)})
