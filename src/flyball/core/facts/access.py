"""The facts of clients that are refused: a key that has run out, or credentials that nobody knows."""

from flyball.core.fact import Fact


class AccessRefused(Fact, tag="access.refused"):
    """Requests with these credentials are refused, since a moment."""

    key: str  # `key-ID`, which the key file knows; `unknown`: many, that it does not know
    why: str


class AccessCalm(Fact, tag="access.calm"):
    """They are no more."""

    key: str
    why: str
