"""The values of a sample that are there: those that are missing are told, or refused, and never left out in silence."""

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData

Values = npt.NDArray[np.float64]


def present(values: npt.ArrayLike) -> tuple[Values, int]:
    """The values that are there, sorted; and how many are not: None and NaN."""
    numbers = np.asarray(values, dtype=np.float64).ravel()
    there = ~np.isnan(numbers)
    return np.sort(numbers[there]), int(numbers.size - np.count_nonzero(there))


def whole(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[Values, Values]:
    """Both samples, sorted. Raises: NotEnoughData: one side has no value. ValueError: some are missing."""
    sides = {"reference": present(reference), "current": present(current)}
    if gaps := [f"{name}: {missing} missing" for name, (_, missing) in sides.items() if missing]:
        raise ValueError(f"expected values, none of them missing, found {', '.join(gaps)}: leave them out or fill them")
    if empty := [name for name, (values, _) in sides.items() if not values.size]:
        raise NotEnoughData(f"{' and '.join(empty)}: no values, so there is no distribution to compare")
    return sides["reference"][0], sides["current"][0]


def left_out(reference: int, current: int) -> str:
    """What the reason of a comparison of values says of those that are missing; nothing where none is."""
    if not reference and not current:
        return ""
    return f"; missing and left out: {reference} of the reference, {current} now"
