"""A message that something is new, as it comes over HTTP: a webhook whose sender may repeat itself."""

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from flyball.app.people import Act, Person, told
from flyball.app.triggers import receive
from flyball.core.declared.kinds import TriggerSource
from flyball.core.errors import BadInput, Fault
from flyball.core.ledger import Ledger
from flyball.core.record import Record

HEADER = "idempotency-key"
Name = Annotated[str, Meta(max_length=200)]


class Message(Record):
    """What is new."""

    source: TriggerSource = "webhook"
    reference: Name = ""  # a commit, a tag, an edition
    key: Name = ""  # names the message, as the header Idempotency-Key does; else the reference names it
    why: Annotated[str, Meta(max_length=2_000)] = ""


def keyed(message: Message, header: str | None) -> Message:
    """With the key of the header. Raises: BadInput: the body has another one, or it is too long.

    >>> keyed(Message(reference="4f1c2aa"), "delivery-7").key
    'delivery-7'
    """
    if header is None:
        return message
    if message.key not in ("", header):
        raise _faulty("the key of the header Idempotency-Key, or none", message.key)
    if not 0 < len(header) <= 200:
        raise _faulty("a header Idempotency-Key of 1 to 200 characters", f"{len(header)}")
    return replace(message, key=header)


def heard(ledger: Ledger, service: str, sender: Person, message: Message) -> Act:
    """Write it, once. Raises: Refused: nobody listens to such, or the sender may not send. NotFound, BadInput."""
    entries = receive(
        ledger,
        service,
        sender,
        message.source,
        reference=message.reference,
        key=message.key,
        why=message.why,
    )
    return told(service, sender, entries)


def _faulty(expected: str, found: str) -> BadInput:
    fault = Fault(where="body", path="key", expected=expected, found=found)
    return BadInput("the message is faulty", (fault,))
