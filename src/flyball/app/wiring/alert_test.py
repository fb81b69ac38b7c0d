"""Sends a test alert through every destination, by the way that real ones go, and hears what each says."""

import time
from collections.abc import Callable
from contextlib import closing

from flyball.adapters.clock import SystemClock
from flyball.app.alert_words import begin_test, end_test
from flyball.app.home import Home
from flyball.app.people import Person
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.ledger_place import open_ledger
from flyball.app.wiring.relay import flush
from flyball.core.outbox import Outbox
from flyball.core.record import Record

EVERY_S = 0.5  # between two looks
LOOKED_AT = 1000  # newest attempts of a destination


class Said(Record):
    """What one destination said."""

    destination: str  # name within the service
    arrived: bool
    said: str


class AlertTest(Record):
    """What `flyball alerts test --json` prints."""

    service: str
    alert: str
    destinations: tuple[Said, ...]


def run_test(
    home: Home, service: str, person: Person, *, only: str | None, within_s: float, say: Callable[[str], None]
) -> AlertTest:
    """Waits for as long as something may still arrive, at most within_s seconds. A running relay may be the one that
    sends. What does not arrive in time stays in the outbox, as any message does.

    Raises: NotFound, Refused: as `begin_test`.
    """
    with ledger_of(home) as ledger:
        alert, names, entries = begin_test(ledger, service, person, only=only, now=SystemClock().now())
    events = tuple(entry.hash[:32] for entry in entries)
    ends = time.monotonic() + within_s
    while True:
        flush(home, within_s=max(1.0, ends - time.monotonic()))
        with closing(open_ledger(home, told=False)) as outbox:
            found = heard(outbox, events, service, names)
        if all(each.arrived for each in found) or time.monotonic() >= ends:
            break
        say(f"waiting for {', '.join(each.destination for each in found if not each.arrived)}")
        time.sleep(EVERY_S)
    arrived = tuple(each.destination for each in found if each.arrived)
    missed = {each.destination: each.said for each in found if not each.arrived}
    with ledger_of(home) as ledger:
        end_test(ledger, service, alert, person, arrived=arrived, missed=missed)
    return AlertTest(service=service, alert=alert, destinations=found)


def heard(outbox: Outbox, events: tuple[str, ...], service: str, names: tuple[str, ...]) -> tuple[Said, ...]:
    """Of each destination whether all messages have arrived, and its newest words about them."""
    statuses = {queue.destination: queue.status or "never tried" for queue in outbox.queues()}
    found = []
    for name in names:
        address = f"{service}/{name}"
        ids = {f"{address}/{event}" for event in events}
        tried = [each for each in outbox.deliveries(destination=address, limit=LOOKED_AT) if each.message in ids]
        arrived = {each.message for each in tried if each.outcome == "delivered"}
        failed = next((each.status for each in tried if each.outcome != "delivered"), "")
        if arrived == ids or tried:
            said = tried[0].status if arrived == ids or not failed else failed
        else:
            said = f"an earlier message is in front of it: {statuses.get(address, 'nothing was ever sent there')}"
        found.append(Said(destination=name, arrived=arrived == ids, said=said))
    return tuple(found)
