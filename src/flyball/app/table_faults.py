"""How every fault of a table is told: the file, the place in it, what was expected, what came, what to do."""

from collections.abc import Iterable
from pathlib import Path

from flyball.core.errors import BadInput, Fault


def refuse(path: Path, place: str, expected: str, found: str, fix: str = "") -> BadInput:
    """The error of one fault.

    >>> print(refuse(Path("t.csv"), "line 3", "2 cells", "3", "quote a cell that holds a comma"))
    t.csv is no table that can be read.
      t.csv: line 3: expected 2 cells, found 3 (quote a cell that holds a comma)
    """
    return refuse_all(path, [fault(path, place, expected, found, fix)])


def refuse_all(path: Path, faults: Iterable[Fault]) -> BadInput:
    return BadInput(f"{path} is no table that can be read.", tuple(faults))


def fault(path: Path, place: str, expected: str, found: str, fix: str = "") -> Fault:
    return Fault(where=str(path), path=place, expected=expected, found=found, fix=fix)
