"""The data of a JSON tensor: nested or flat, row-major, of one datatype."""

from collections.abc import Sequence
from typing import Any


def flat(data: Sequence[Any], *, depth: int) -> list[Any]:
    """Row-major values of data that is flat, or nested as deep as its shape has sizes. What is deeper stays a list.

    >>> flat([[1, 2], [3, 4]], depth=2), flat([1, 2], depth=2), flat([[1]], depth=1)
    ([1, 2, 3, 4], [1, 2], [[1]])
    """
    values = list(data)
    for _ in range(depth - 1):
        if not any(isinstance(value, list) for value in values):
            break
        values = [inner for value in values for inner in (value if isinstance(value, list) else (value,))]
    return values


def wrong_value(values: Sequence[Any], datatype: str) -> int | None:
    """Place of the first value that is not of the datatype; None: all are. `null` is a missing value.

    >>> wrong_value([1, 2.5], "INT64"), wrong_value([1, 300], "UINT8"), wrong_value([True], "BOOL")
    (1, 1, None)
    """
    low, high = _range(datatype)
    for place, value in enumerate(values):
        if value is None:
            continue
        match datatype:
            case "BOOL":
                fine = isinstance(value, bool)
            case "BYTES":
                fine = isinstance(value, str)
            case "FP32" | "FP64":
                fine = isinstance(value, (int, float)) and not isinstance(value, bool)
            case _:
                fine = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        if not fine:
            return place
    return None


def _range(datatype: str) -> tuple[int, int]:
    """Smallest and largest integer of a datatype."""
    bits = int("".join(character for character in datatype if character.isdigit()) or 64)
    return (0, (1 << bits) - 1) if datatype.startswith("U") else (-(1 << bits - 1), (1 << bits - 1) - 1)
