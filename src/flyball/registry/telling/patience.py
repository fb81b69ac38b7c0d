"""How long a message rests after a failed attempt."""

FIRST_S, LONGEST_S = 1.0, 3600.0
REFUSALS = 5  # answers that say "never" before it is believed: a proxy in between may say so by mistake


def rest_s(attempts: int, draw: float) -> float:
    """Seconds until the next attempt: doubled with each failure up to an hour, the upper half of it by chance.

    `attempts` that failed, >= 1; `draw`: even in [0, 1), so that many senders do not come back at one moment.

    >>> rest_s(1, 0.0), rest_s(4, 1.0), rest_s(10**6, 0.5)
    (0.5, 8.0, 2700.0)
    """
    whole = min(LONGEST_S, FIRST_S * 2.0 ** min(attempts - 1, 32))
    return whole / 2 + whole / 2 * draw
