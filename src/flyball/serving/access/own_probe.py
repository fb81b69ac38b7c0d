"""The mark of a probe that the home itself sends: it is answered by the champion and leaves no trace.

Whoever could mark a request so could ask without limit and without record, so the mark is a MAC with the home's secret
over the moment it was made and the one request it is for. It is good for a minute: one that somebody reads on the way
asks the same question again, and is soon worth nothing.
"""

import hmac

HEADER = b"x-flyball-own-probe"
GOOD_S = 60.0


def mark(secret: bytes, at: float, method: str, path: str) -> str:
    """Args: at: seconds since the epoch. method, path: of the request that carries it."""
    moment = f"{at:.0f}"
    return f"{moment}.{_mac(secret, moment, method, path)}"


def is_own(secret: bytes, text: str, now: float, method: str, path: str) -> bool:
    """Whether the home made this mark for this request, within the last minute.

    >>> asked = "GET", "/v2/models/shop/ready"
    >>> word = mark(b"s", 1000.0, *asked)
    >>> is_own(b"s", word, 1030.0, *asked), is_own(b"s", word, 1100.0, *asked)
    (True, False)
    >>> is_own(b"other", word, 1000.0, *asked), is_own(b"s", "1", 1000.0, *asked)
    (False, False)
    >>> is_own(b"s", mark(b"s", 1000.0, *asked), 1000.0, "GET", "/metrics")  # of no path of a probe is any good
    False
    """
    if not is_probed(method, path):
        return False
    moment, _, mac = text.partition(".")
    if not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        return False
    good = _mac(secret, moment, method, path)
    return hmac.compare_digest(mac.encode(), good.encode()) and abs(now - int(moment)) <= GOOD_S


def is_probed(method: str, path: str) -> bool:
    """Whether a probe asks this at all.

    >>> is_probed("POST", "/v1/services/shop/predict"), is_probed("GET", "/v1/services/shop/predict")
    (True, False)
    """
    match method, path.split("/"):
        case ("POST", ["", "v1", "services", _, "predict"] | ["", "v2", "models", _, "infer"]):
            return True
        case ("GET", ["", "v2", "models", _, "ready"]):
            return True
        case _:
            return False


def _mac(secret: bytes, moment: str, method: str, path: str) -> str:
    told = f"flyball/own-probe/v2\n{moment}\n{method}\n{path}"
    return hmac.digest(secret, told.encode("utf-8", "surrogatepass"), "sha256").hex()
