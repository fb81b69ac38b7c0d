"""Where a change sits: PSI is a sum over bins, so each bin and each feature has an exact share of it.

Each bin's part of PSI, (q - p) ln(q / p), is never negative; it carries here the sign of q - p, so that it also tells
whether the bin gained or lost. Shares of features are shares of the sum of their PSI, which is the PSI of the product
of their distributions: exact for independent features, and said of each feature by itself otherwise.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from flyball.stats.two_sample.divergences import shares

Floats = npt.NDArray[np.float64]


def psi_parts(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> Floats:
    """Each bin's part of PSI in nats, shape [B], with the sign of its gain: absolute values add up to the PSI.

    Args: see `divergences.psi`; so are the errors.

    >>> psi_parts([50, 50], [80, 20]).round(4).tolist()
    [0.141, -0.2749]
    """
    p, q = shares(reference, current, smoothing=smoothing)
    both = (p > 0) & (q > 0)
    ratio = np.divide(q, p, out=np.ones_like(p), where=both)
    gain = np.abs(q - p)
    return np.asarray(np.where(both, gain * np.log(ratio), np.where(q > p, np.inf, np.where(q < p, -np.inf, 0.0))))


def weighted_shares(values: Mapping[str, float], sensitivity: Mapping[str, float] | None = None) -> dict[str, float]:
    """Each value's share of all, times how much the model cares, 0..1; all 0 where the model cares for none.

    Args:
        values: of each feature, >= 0.
        sensitivity: of each feature, >= 0, any common unit; a feature without one counts as 0. None: all alike.

    >>> weighted_shares({"a": 3.0, "b": 1.0}), weighted_shares({"a": 3.0, "b": 1.0}, {"b": 1.0})
    ({'a': 0.75, 'b': 0.25}, {'a': 0.0, 'b': 1.0})
    """
    weight = {
        name: value * (1.0 if sensitivity is None else sensitivity.get(name, 0.0)) for name, value in values.items()
    }
    total = sum(weight.values())
    return {name: each / total if total > 0 else 0.0 for name, each in weight.items()}
