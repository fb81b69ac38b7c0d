"""When a command that failed is tried again, and when it has failed often enough. Pure.

Waits double up to a limit, and each is shortened by a part of its own, so that hundreds of services whose gateway came
back do not all ask in the same instant. The part follows from key and attempt: the same history waits the same.
"""

from zlib import crc32

from flyball.core.record import Record


class Budget(Record):
    """What a kind of command may cost."""

    attempts: int  # count; a controller that died while it carried the command out counts as well
    first_s: float
    longest_s: float


BUDGETS = {
    "route": Budget(attempts=40, first_s=0.2, longest_s=5.0),  # three minutes without a gateway
    "recycle": Budget(attempts=8, first_s=0.5, longest_s=5.0),  # half a minute: then the next remedy is better
    "train": Budget(attempts=12, first_s=1.0, longest_s=600.0),  # an hour without whoever trains
}
AGAIN_S = 300.0  # a route that was given up is ordered anew after this, if the gateway answers


def spent(kind: str, attempts: int) -> bool:
    """Whether a command has failed often enough.

    >>> spent("route", 39), spent("route", 40)
    (False, True)
    """
    return attempts >= _budget(kind).attempts


def wait_s(kind: str, attempts: int, key: str) -> float:
    """How long to wait after the n-th failed attempt, seconds: between half of the doubled time and all of it.

    >>> [round(wait_s("route", n, "route/fraud/7"), 2) for n in (1, 2, 3, 30)]
    [0.2, 0.28, 0.43, 4.84]
    """
    budget = _budget(kind)
    whole: float = min(budget.first_s * 2.0 ** (min(attempts, 60) - 1), budget.longest_s)
    part = crc32(f"{key}/{attempts}".encode()) / 2**32
    return whole * (1 + part) / 2


def _budget(kind: str) -> Budget:
    """A kind from another version of the program fails like a route: soon and told."""
    return BUDGETS.get(kind, BUDGETS["route"])
