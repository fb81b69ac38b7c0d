"""What a supervisor and its workers say to each other: one JSON line a message, each order answered once."""

from typing import Any

from flyball.core import errors
from flyball.core.errors import FlyballError
from flyball.core.record import Record
from flyball.core.routing import Routing


class Here(Record, tag="here"):
    """A worker's first word."""

    worker: int
    pid: int


class Prepare(Record, tag="prepare"):
    """Load, verify and warm what this table names."""

    number: int
    routing: Routing
    patient: bool = False


class Forget(Record, tag="forget"):
    """What was prepared last does not come into force: end what was loaded for it."""

    number: int
    service: str


class Settle(Record, tag="settle"):
    """Go by the mapped table now, and end what it does not name."""

    number: int
    service: str


class Refuse(Record, tag="refuse"):
    """Answer this service's clients 503 with the reason; empty: no more."""

    number: int
    service: str
    why: str


class Open(Record, tag="open"):
    """Everything is warm: take connections."""

    number: int


class Collect(Record, tag="collect"):
    """What have you to tell of yourself? The answer's text is a `counting.report.Report`."""

    number: int


class Did(Record, tag="did"):
    number: int
    text: str = ""


class CouldNot(Record, tag="could_not"):
    number: int
    kind: str  # name of an error in `core.errors`
    message: str


class Last(Record, tag="last"):
    """A worker's last word: its report, when it answers nobody any more."""

    text: str


class Sum(Record, tag="sum"):
    """A worker asks for the reports of all as one; the answer is `Summed`."""

    number: int


class Summed(Record, tag="summed"):
    number: int
    text: str


Order = Prepare | Forget | Settle | Refuse | Open | Collect
ToWorker = Order | Summed
FromWorker = Here | Did | CouldNot | Sum | Last

_KINDS: dict[str, type[FlyballError]] = {
    kind.__name__: kind
    for kind in (errors.Untrusted, errors.NotFound, errors.Unavailable, errors.Refused, errors.BadInput)
}


def said(number: int, error: BaseException) -> CouldNot:
    """An error as a message."""
    if isinstance(error, FlyballError):
        return CouldNot(number=number, kind=type(error).__name__, message=str(error))
    return CouldNot(number=number, kind="Unavailable", message=f"{type(error).__name__}: {error}")


def error_of(answer: CouldNot) -> FlyballError:
    """... and back.

    >>> error_of(said(1, errors.Untrusted("altered")))
    Untrusted('altered')
    """
    kind: Any = _KINDS.get(answer.kind, errors.Unavailable)
    error: FlyballError = kind(answer.message)
    return error
