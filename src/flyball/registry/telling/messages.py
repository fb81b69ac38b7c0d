"""Facts as messages of the outbox: which destination gets what, under which id."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from flyball.core.declared.alerts import AlertDestination
from flyball.core.declared.destination import Destination
from flyball.core.events import ServiceDeclared
from flyball.core.ledger import Entry, Message
from flyball.registry.telling import alerting, cdevents, mirror, openlineage
from flyball.registry.telling.known import Known, destinations, fold


def messages(state: Known, entries: Iterable[Entry]) -> Iterator[Message]:
    """What each destination is told about new entries of one service. `state`: the service before them.

    An id names the destination and the event: `<service>/<destination>/<event>`; the event's part is made of the
    entry's hash, so it is the same in whatever process, however often, it is computed.
    """
    for entry in entries:
        told = state.destinations
        if isinstance(entry.fact, ServiceDeclared):
            told = destinations(entry.fact.declaration)
        for destination in told:
            address = address_of(entry.subject, destination)
            for number, body in enumerate(bodies(state, entry, destination)):
                yield Message(
                    id=f"{address}/{body.get('id') or f'{entry.hash[:32]}-{number}'}", destination=address, body=body
                )
        yield from _alerts(state, entry)
        state = fold(state, entry)


def _alerts(state: Known, entry: Entry) -> Iterator[Message]:
    """What is told about alerts: the same notice to each destination that it is for."""
    if state.alerts is None or (found := alerting.notice(state.told, entry, state.alerts)) is None:
        return
    body = msgspec.to_builtins(found)
    for destination in state.alerts.to:
        if alerting.goes_to(found, destination):
            address = address_of(entry.subject, destination)
            yield Message(id=f"{address}/{found.id}", destination=address, body=body)


def bodies(state: Known, entry: Entry, destination: Destination) -> Iterator[dict[str, Any]]:
    """The entry in the words of one destination."""
    match destination.format:
        case "openlineage":
            yield from openlineage.events(state, entry, destination.namespace)
        case "cdevents":
            yield from map(cdevents.cloud_event, cdevents.events(state, entry, destination.namespace))
        case "mlflow":
            yield from mirror.events(state, entry)


def address_of(service: str, destination: Destination | AlertDestination) -> str:
    """The name of the queue: a destination within a service.

    >>> address_of("fraud", Destination(format="cdevents", to="file:events.jsonl"))
    'fraud/cdevents'
    """
    return f"{service}/{destination.called}"
