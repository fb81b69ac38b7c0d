"""What a controller and a gateway say to each other over the local socket: one JSON line each way."""

from flyball.core.record import Record
from flyball.core.routing import Observed, Routing

OWNER = "FLYBALL_STARTED_BY"  # environment: the name of whoever starts a gateway again by itself; unset: nobody does


class Apply(Record, tag="apply"):
    key: str
    routing: Routing


class Observe(Record, tag="observe"):
    service: str


class Done(Record, tag="done"):
    observed: Observed | None = None


class Refusal(Record, tag="refusal"):
    kind: str  # name of an error in `core.errors`
    message: str


class Recycle(Record, tag="recycle"):
    """The processes that answer make room for fresh ones, one after the other."""

    key: str
    service: str
    epoch: int  # the newest that whoever orders knows of: one below the table's is refused


Request = Apply | Observe | Recycle
Asked = Done | Refusal
