"""An interval of a share that keeps its promise for a handful of cases, too: never too short, whatever the share is."""

from flyball.core.errors import NotEnoughData


def clopper_pearson(successes: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a proportion: (low, high), each 0..1. It holds the share with at least this confidence for
    every n, where a score interval (`intervals.wilson`) holds it on average: of one case that failed, that one says
    that fewer than 80 % succeed, and this one that nobody can tell.

    Raises: NotEnoughData: n = 0. ValueError: not 0 <= successes <= n.
    Source: Clopper and Pearson 1934; limits as quantiles of beta distributions.

    >>> [round(bound, 4) for bound in clopper_pearson(0, 1)], [round(bound, 4) for bound in clopper_pearson(9, 10)]
    ([0.0, 0.975], [0.555, 0.9975])
    """
    from scipy.special import betaincinv  # slow to load, and seldom asked for

    if n == 0:
        raise NotEnoughData("n=0: a proportion needs at least one observation")
    if not 0 <= successes <= n:
        raise ValueError(f"expected 0 <= successes <= n, found {successes} of {n}")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high
