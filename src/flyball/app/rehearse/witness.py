"""What invariants are shown of a simulated world: what was done in it, and how it stands. Pure."""

from typing import Literal

from flyball.core.record import Record
from flyball.core.routing import Routing


class Effect(Record):
    """Something happened outside the ledger."""

    # a gateway took a table; a training began; a gateway stopped a candidate; it began anew by an order
    kind: Literal["route", "train", "stop", "recycle"]
    key: str  # of the order; a stop: its rollout
    routing: Routing | None = None  # the table that was taken, or stopped


class Stand(Record):
    """How the world stands after a step."""

    routing: Routing | None = None  # the table that the gateway was ordered last; None: it is down, or has none
    warm: frozenset[str] = frozenset()  # releases that it could ask now
    champions: frozenset[tuple[int, str]] = frozenset()  # (epoch, release) that answered as champion in this step
    errors: dict[str, int] = {}  # release -> error events of its own as candidate and as shadow, since it was offered
    weight: int = 0  # in force, of 10,000
    assigned: tuple[tuple[int, str, str], ...] = ()  # (epoch, unit, arm) of each row of this step, while there are two
    now_s: float = 0.0  # since the beginning
    at: float = 0.0  # seconds since the epoch, by the wall clock
    calm_s: float = 0.0  # since nothing is broken that orders, ledger or gateway need
    received: int = 0  # rows, ever
    written: int = 0
    dropped: int = 0


class Violation(Record):
    """A promise that was broken."""

    seed: int
    at: float  # simulated seconds since the beginning
    invariant: str
    what: str
