"""What a comparison may be asked: settings that cannot be are refused, all of them at once, before anything is counted.

Faulty *data* read INVALID, for tomorrow's window is another one; a faulty setting is a mistake of who wrote the call,
and would give a verdict every day.
"""

import math
from numbers import Real
from typing import get_args

from flyball.stats.two_sample.measure import Null


def refuse_settings(
    *,
    limit: float,
    alpha: float,
    floor: int,
    confidence: float,
    null: Null,
    least: float = 0.0,
    most: float = math.inf,
) -> None:
    """Args: as `compare` has them; `least`, `most`: between which the measure's limit can be.

    Raises: ValueError: every setting that cannot be.

    >>> refuse_settings(limit=-1, alpha=2, floor=50, confidence=0.95, null="limit")
    Traceback (most recent call last):
    ValueError: limit: expected a number of at least 0, found -1; alpha: expected a number between 0 and 1, found 2
    """
    share = "a number between 0 and 1"
    room = f"a number of at least {least:g}" if math.isinf(most) else f"a number from {least:g} to {most:g}"
    asked: list[tuple[str, object, bool, str]] = [
        ("limit", limit, _is_number(limit) and least <= limit <= most, room),
        ("alpha", alpha, _is_number(alpha) and 0 < alpha < 1, share),
        ("floor", floor, _is_number(floor) and floor >= 0, "a number of rows of at least 0"),
        ("confidence", confidence, _is_number(confidence) and 0 < confidence < 1, share),
        ("null", null, null in get_args(Null), " or ".join(get_args(Null))),
    ]
    faults = [f"{name}: expected {expected}, found {found!r}" for name, found, fits, expected in asked if not fits]
    if faults:
        raise ValueError("; ".join(faults))


def _is_number(value: object) -> bool:
    return False if isinstance(value, bool) else isinstance(value, Real) and math.isfinite(value)
