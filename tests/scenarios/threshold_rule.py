"""The rule that delivery controllers document: a success rate of at least 99 % in five of ten checks, a minute each.

No statistics: a check passes or fails whatever the number of requests in it, and compares with nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST_SUCCESS = 0.99
CHECKS, MOST_FAILED = 10, 5


@dataclass(frozen=True)
class Checked:
    """What the rule made of one canary."""

    promoted: bool
    checks: int  # until it was decided, a minute each
    own_errors: int  # of the candidate until then


def by_threshold(errors: npt.NDArray[np.int64], requests: int) -> Checked:
    """Args: errors: of the candidate in each check, shape [10]. requests: of each check; 0 is a failed one."""
    share = np.where(requests > 0, 1 - errors / max(1, requests), 0.0)
    failed = np.cumsum(share < LEAST_SUCCESS)
    gone = np.flatnonzero(failed >= MOST_FAILED)
    last = int(gone[0]) + 1 if gone.size else CHECKS
    return Checked(promoted=not gone.size, checks=last, own_errors=int(errors[:last].sum()))
