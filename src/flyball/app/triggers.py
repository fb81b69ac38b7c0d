"""A message from outside: something is new, and the policy may want to train. A fact; whether and when is the loop's.

A message holds no lock and waits for nobody: it is true whatever else is written, so it is no word about what stands.
Told twice, by the same key, it is one message.
"""

from typing import get_args

from flyball.app.people import Person, may
from flyball.app.subjects import Reading
from flyball.control.state.service_state import trigger_of
from flyball.core import events as e
from flyball.core.declared.kinds import TriggerSource
from flyball.core.errors import BadInput, Fault, Refused
from flyball.core.ids import ServiceName
from flyball.core.ledger import Entry, Ledger

SOURCES: tuple[TriggerSource, ...] = get_args(TriggerSource)


def receive(
    ledger: Ledger,
    service: str,
    sender: Person,
    source: TriggerSource,
    *,
    reference: str = "",
    key: str = "",
    why: str = "",
) -> tuple[Entry, ...]:
    """Write that something is new; nothing where this message is known already.

    Args: reference: what is new: a commit, a tag, an edition. key: names the message, so that a sender may repeat it;
        without one the reference does.

    Raises: Refused: the sender may not, or the policy does not listen to such messages. NotFound: no such service.
        BadInput: neither reference nor key.
    """
    if not (reference or key):
        fault = Fault(
            where="message", path="reference", expected="what is new, or a key of the message", found="neither"
        )
        raise BadInput("The message names nothing.", (fault,))
    reading = Reading(ledger)
    state, metadata = reading.find(service)
    may(metadata, sender, ("operator", "approver"))
    listened = reading.policy(state.service).triggers
    if trigger_of(source) not in listened:
        raise Refused(
            f"{state.service} does not listen to {source}: its triggers are {', '.join(listened) or 'none'}",
            hint=f"name {trigger_of(source)} in retrain.triggers of service.yaml",
        )
    received = e.TriggerReceived(
        service=ServiceName(state.service),
        source=source,
        reference=reference or key,
        key=key or reference,
        by=sender.name,
        proof=sender.proof,
        why=why,
    )
    return ledger.append([received], ids=[f"trigger/{state.service}/{source}/{received.key}"])
