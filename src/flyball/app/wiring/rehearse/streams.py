"""Dice, one set for each concern: another kind of fault, or one row more, moves nothing in the streams beside it."""

import numpy as np

CONCERNS = ("rows", "arrivals", "models", "labels", "people")


def streams(seed: int) -> dict[str, np.random.Generator]:
    """The generator of each concern. Source: numpy's SeedSequence; a concern's number is part of its key.

    >>> one, two = streams(1), streams(1)
    >>> one["rows"].random() == two["rows"].random() != one["labels"].random()
    True
    """
    keyed = [np.random.SeedSequence([seed, number]) for number in range(len(CONCERNS))]
    return {name: np.random.default_rng(each) for name, each in zip(CONCERNS, keyed, strict=True)}
