"""Which column of a service a fault of the supply takes. Pure."""

import math

from flyball.core.contract import Column, DataContract
from flyball.core.errors import Refused


def a_number(contract: DataContract, label: str = "") -> str:
    """The first number that has to be there; else the first number. Raises: Refused: the contract has none."""
    numbers = _numbers(contract, label)
    return next((each.name for each in numbers if each.required), numbers[0].name)


def a_measure(contract: DataContract, label: str = "") -> str:
    """A number with a unit: the one that leaves its bounds first when it is multiplied, else the first with fractions.

    Raises: Refused: the contract has no number.
    """
    numbers = _numbers(contract, label)
    measures = [each for each in numbers if each.kind == "number"] or numbers
    return min(measures, key=_most).name


def _numbers(contract: DataContract, label: str) -> list[Column]:
    found = [each for each in contract.columns if each.kind in ("number", "integer") and each.name != label]
    if not found:
        raise Refused("the contract promises no number, which this fault would take", hint="flyball drill list")
    return found


def _most(column: Column) -> float:
    return float(column.maximum) if isinstance(column.maximum, int | float) else math.inf
