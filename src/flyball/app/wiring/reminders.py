"""Tells again what is open, to destinations that keep it in memory alone: Alertmanager, after it was started anew.

Beside the outbox, because a reminder that is lost is followed by another. One that crosses the message that the alert
is over brings it back for as long as a reminder holds, and no longer.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from flyball.app.alert_list import Newest
from flyball.app.wiring.alert_receivers import reminder
from flyball.core import events as e
from flyball.core.clock import Clock, timestamp
from flyball.core.errors import FlyballError
from flyball.core.facts.alert import further
from flyball.core.ledger import Ledger, Message
from flyball.core.notice import Notice
from flyball.core.service import Alerts
from flyball.registry.telling.alerting import goes_to, notice
from flyball.registry.telling.known import declared_alerts
from flyball.registry.telling.messages import address_of

EVERY_S = 60.0
HOLDS = timedelta(minutes=10)
_LOG = logging.getLogger(__name__)


class Reminders:
    """Of one home. Reads what is new on the ledger at each round."""

    def __init__(
        self, ledger: Ledger, environment: Mapping[str, str], clock: Clock, newest: Newest = lambda _: {}
    ) -> None:
        """Newest: of a service, how it stands with its causes now, by cause."""
        self._newest = newest
        self._ledger, self._environment, self._clock, self._seq = ledger, environment, clock, 0
        self._alerts: dict[str, Alerts] = {}
        self._open: dict[tuple[str, str], Notice] = {}  # by service and alert

    async def run(self, stopping: asyncio.Event, *, every_s: float = EVERY_S) -> None:
        """Until told to stop. What goes wrong is told, and tried again in the next round."""
        while not stopping.is_set():
            try:
                await self.round()
            except FlyballError as error:
                _LOG.warning("nobody was reminded: %s", error)
            try:
                await asyncio.wait_for(stopping.wait(), every_s)
            except TimeoutError:
                continue

    async def round(self) -> int:
        """How many reminders arrived."""
        self._catch_up()
        return sum([await self._remind(service, alerts) for service, alerts in self._alerts.items()])

    async def _remind(self, service: str, alerts: Alerts) -> int:
        arrived = 0
        figures = self._newest(service) if any(of == service for of, _ in self._open) else {}
        for to in alerts.to:
            address = address_of(service, to)
            found = [_now(one, figures) for (of, _), one in self._open.items() if of == service and goes_to(one, to)]
            poster = reminder(address, to, self._environment, self._until) if found else None
            if poster is None:
                continue
            try:
                for one in found:
                    message = Message(id=f"{address}/{one.id}", destination=address, body=msgspec.to_builtins(one))
                    answer = await poster.send(message)
                    if not answer.ok:
                        _LOG.info("%s was not reminded: %s", address, answer.status)
                        break
                    arrived += 1
            finally:
                await poster.close()
        return arrived

    def _until(self) -> str:
        return timestamp(self._clock.now() + HOLDS)

    def _catch_up(self) -> None:
        for entry in self._ledger.read(self._seq):
            self._seq, service = entry.seq, entry.subject
            if isinstance(entry.fact, e.ServiceDeclared):
                alerts = declared_alerts(entry.fact.declaration)
                self._alerts = {name: one for name, one in self._alerts.items() if name != service}
                self._alerts |= {service: alerts} if alerts is not None else {}
            match entry.fact:
                case e.AlertRaised(alert=alert, test=False) if service in self._alerts:
                    told = notice({}, entry, self._alerts[service])
                    self._open |= {(service, alert): told} if told is not None else {}
                case e.AlertEscalated(alert=alert, to=to) if (one := self._open.get((service, alert))) is not None:
                    self._open[(service, alert)] = replace(one, to=further(one.to, to))
                case e.AlertResolved(alert=alert):
                    self._open.pop((service, alert), None)
                case _:
                    pass


def _now(told: Notice, figures: Mapping[str, str]) -> Notice:
    """With how it stands now before the words with which it was raised, where these are other words."""
    newer = figures.get(told.cause)
    return told if newer in (None, told.summary) else replace(told, detail=f"Now: {newer}\n\n{told.detail}")
