"""An order to the gateway that nobody tries any more, as the state remembers it."""

from flyball.core import events as e
from flyball.core.record import Record


class GivenUp(Record):
    """An order that nobody tries any more."""

    fact: e.CommandGivenUp
    at: str  # RFC 3339


def is_of(fact: e.CommandGivenUp, service: str, epoch: int) -> bool:
    """Whether the order was of this epoch: one that a newer order has overtaken is nobody's any more."""
    return f"{fact.key}/".startswith(f"route/{service}/{epoch}/")
