"""Sums that do not depend on the order of their terms: each number is rounded to a multiple of 2**-bits, once, and the
multiples are added as integers. So what was added can be taken away again, and two halves make the whole, bit for bit.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_SAFE, _HALF = 2.0**62, 31  # a number below the first is two of 31 bits, whose sums fit int64 for 2**31 rows


def units(values: Floats, bits: int) -> int:
    """The sum of the values in units of 2**-bits, each rounded to the nearest unit.

    Args: values: finite, shape [n].

    >>> units(np.array([0.5, 0.25, -0.5]), 2)
    1
    >>> units(np.array([1e300, 1.0, -1e300]), 60) == 2**60
    True
    """
    if not values.size:
        return 0
    with np.errstate(over="ignore"):
        scaled = np.rint(np.ldexp(values, bits))
    if float(np.abs(scaled).max()) < _SAFE:
        whole = scaled.astype(np.int64)
        return (int((whole >> _HALF).sum()) << _HALF) + int((whole & ((1 << _HALF) - 1)).sum())
    one = Fraction(2) ** bits
    return sum(round(Fraction(value) * one) for value in values.tolist())


def units_of_each(values: Floats, bits: Sequence[int]) -> list[int]:
    """The sums of several rows of values, each in its own units. Args: values: finite, shape [sums, n].

    >>> units_of_each(np.array([[0.5, 0.25], [3.0, 4.0]]), (2, 0))
    [3, 7]
    """
    if not values.size:
        return [0] * len(bits)
    with np.errstate(over="ignore"):
        scaled = np.rint(np.ldexp(values, np.array(bits)[:, None]))
    if not float(np.abs(scaled).max()) < _SAFE:
        return [units(row, each) for row, each in zip(values, bits, strict=True)]
    whole = scaled.astype(np.int64)
    high, low = (whole >> _HALF).sum(axis=1), (whole & ((1 << _HALF) - 1)).sum(axis=1)
    return [(up << _HALF) + down for up, down in zip(high.tolist(), low.tolist(), strict=True)]


def number(total: int, bits: int) -> float:
    """A sum of units as the nearest float.

    >>> number(units(np.array([0.1] * 10), 60), 60)
    1.0
    """
    return total / (1 << bits) if bits >= 0 else float(total << -bits)


def bits_for(scale: float, *, power: int = 1) -> int:
    """Bits at which numbers of this size, to that power, lose nothing that a float holds of the largest of them.

    >>> bits_for(1.0), bits_for(1000.0), bits_for(1000.0, power=2)
    (52, 42, 32)
    """
    exponent = int(np.frexp(scale)[1]) if scale > 0 and np.isfinite(scale) else 1
    return 52 - power * (exponent if scale > 1 else exponent - 1)
