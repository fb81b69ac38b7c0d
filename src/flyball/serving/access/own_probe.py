"""The mark of a probe that the home itself sends: it is answered by the champion and leaves no trace.

Whoever could mark a request so could ask without limit and without record, so the mark is a MAC with the home's secret
over the moment it was made. It is good for a minute: one that somebody reads on the way is soon worth nothing.
"""

import hmac

HEADER = b"x-flyball-own-probe"
GOOD_S = 60.0


def mark(secret: bytes, at: float) -> str:
    """Args: at: seconds since the epoch."""
    moment = f"{at:.0f}"
    return f"{moment}.{_mac(secret, moment)}"


def is_own(secret: bytes, text: str, now: float) -> bool:
    """Whether the home made this mark, within the last minute.

    >>> is_own(b"s", mark(b"s", 1000.0), 1030.0), is_own(b"s", mark(b"s", 1000.0), 1100.0)
    (True, False)
    >>> is_own(b"s", mark(b"other", 1000.0), 1000.0), is_own(b"s", "1", 1000.0)
    (False, False)
    """
    moment, _, mac = text.partition(".")
    if not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        return False
    return hmac.compare_digest(mac.encode(), _mac(secret, moment).encode()) and abs(now - int(moment)) <= GOOD_S


def _mac(secret: bytes, moment: str) -> str:
    return hmac.digest(secret, b"flyball/own-probe/v1\n" + moment.encode(), "sha256").hex()
