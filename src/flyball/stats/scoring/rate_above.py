"""Is a rate above a limit, or did a few rows just happen to show events? The exact test of one count."""

from scipy import special


def surely_above(events: int, rows: int, limit: float, *, alpha: float) -> bool:
    """Whether so many events in so many rows are too many for a rate of `limit`.

    The exact one-sided binomial test: P(at least `events` | rate = limit) <= alpha, which says the same as that the
    lower Clopper-Pearson bound lies above the limit. One error in twenty rows is thus no rate of 5 %.

    Args:
        events: count, 0..rows.
        rows: count; 0 is evidence of nothing.
        limit: share, 0..1; nothing is above 1.
        alpha: chance of a yes at a rate of exactly `limit`, at one look, in (0, 1).

    Raises: ValueError: not 0 <= events <= rows.
    Source: Clopper and Pearson 1934; the tail as an incomplete beta function, Abramowitz and Stegun 26.5.24.

    >>> surely_above(1, 20, 0.01, alpha=1e-5), surely_above(4, 20, 0.01, alpha=1e-5)
    (False, False)
    >>> surely_above(3, 3, 0.01, alpha=1e-5), surely_above(35, 1000, 0.01, alpha=1e-5)
    (True, True)
    """
    if not 0 <= events <= rows:
        raise ValueError(f"expected 0 <= events <= rows, found {events} of {rows}")
    if events == 0 or limit >= 1:
        return False
    if limit <= 0:
        return True
    return bool(special.betainc(events, rows - events + 1, limit) <= alpha)
