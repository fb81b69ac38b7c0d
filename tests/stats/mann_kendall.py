"""The plain test for a trend, which takes the figures of a series for independent: what ours is compared with."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt


def mann_kendall(values: npt.ArrayLike) -> float:
    """Its p-value: Mann 1945; Kendall 1975, normal approximation without ties."""
    y = np.asarray(values, dtype=np.float64)
    n = y.size
    s = float(np.sign(y[None, :] - y[:, None])[np.triu_indices(n, 1)].sum())
    variance = n * (n - 1) * (2 * n + 5) / 18
    z = (abs(s) - 1) / math.sqrt(variance) if s else 0.0
    return 2 * (1 - NormalDist().cdf(max(z, 0.0)))
