"""What an error becomes for a client: a status, and `{"error": ...}` as at the gateway, with the faults one by one."""

from flyball.app.api.bodies import NotJson
from flyball.core.errors import BadInput, Fault, FlyballError, NotAllowed, NotFound, Refused, Unavailable
from flyball.core.record import Record

RETRY_S = 1  # after which a client may come back


class Refusal(Record, omit_defaults=True):
    """The body of every answer that is an error."""

    error: str  # in words, hint included
    faults: tuple[Fault, ...] = ()  # of a body, all of them


class NoCredentials(FlyballError):
    """Who says this has to be known, and nobody has been declared who could."""


class Lacking(FlyballError):
    """The credentials are valid, and do not go that far."""


def refusal(error: BaseException) -> tuple[int, Refusal]:
    """Status and body for what was raised; the text of what we did not raise on purpose is not for strangers.

    >>> refusal(NotFound("no service is called 'x'", hint="services: fraud"))
    (404, Refusal(error="no service is called 'x' (services: fraud)", faults=()))
    """
    match error:
        case NotJson():
            return 400, _of_body(error)
        case BadInput():
            return 422, _of_body(error)
        case NoCredentials():
            return 401, _said(error)
        case Lacking() | NotAllowed():
            return 403, _said(error)
        case NotFound():
            return 404, _said(error)
        case Refused():
            return 409, _said(error)
        case Unavailable():
            return 503, _said(error)
        case _:
            return 500, Refusal(error="a fault of ours: the log of this process says which")


def _of_body(error: BadInput) -> Refusal:
    parts = [
        f"{each.path}: expected {each.expected}, found {each.found}" + (f" ({each.fix})" if each.fix else "")
        for each in error.faults
    ]
    return Refusal(error="; ".join(parts) or str(error), faults=error.faults)


def _said(error: FlyballError) -> Refusal:
    text = Exception.__str__(error)
    return Refusal(error=f"{text} ({error.hint})" if error.hint else text)
