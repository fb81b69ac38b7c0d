"""The generators of the process, for the service's code that asks them: the declared seed before each call.

A step that is found consumes nothing, so a generator that was seeded once a process would stand elsewhere in a run that
goes on than in one that does everything. Whoever names no generator of their own therefore gets the same numbers in
each call: in every trial, fit and refit, in a fresh run and in a resumed one.
"""

import random

import numpy as np

from flyball.pipeline.seed import seed_of


def reseed(seed: str) -> None:
    """Seed the generators of `random` and NumPy. `seed`: as it is declared.

    >>> reseed("7")
    >>> before = random.random(), np.random.random()
    >>> reseed("7")
    >>> before == (random.random(), np.random.random())
    True
    """
    number = seed_of(seed)
    random.seed(number)
    np.random.seed(number)  # noqa: TID251 -- user code that asks it is the reason for this file
