"""A service as it was declared last, read from the ledger: no folder of it need be here."""

import msgspec

from flyball.core.errors import NotFound
from flyball.core.events import ServiceDeclared
from flyball.core.ledger import Ledger
from flyball.core.service import Service


def declaration(ledger: Ledger, service: str) -> Service:
    """Raises: NotFound: the ledger has no declaration of it."""
    newest = None
    for entry in ledger.read(subject=service):
        if isinstance(entry.fact, ServiceDeclared):
            newest = entry.fact
    if newest is None:
        raise NotFound(f"no declaration of {service!r} on this ledger")
    return msgspec.convert(newest.declaration, Service)
