"""The declared seed as the number that a training gets."""

from hashlib import sha256


def seed_of(text: str) -> int:
    """An integer in 0..2**32-1, what NumPy and scikit-learn take; text that is no such number is hashed.

    >>> seed_of("7"), seed_of("spring") == seed_of("spring")
    (7, True)
    """
    if text.isdecimal() and int(text) < 2**32:
        return int(text)
    return int.from_bytes(sha256(text.encode()).digest()[:4])
