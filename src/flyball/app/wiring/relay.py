"""Process: the relay. It carries the outbox to its destinations, each message at least once and under one id.

python -m flyball.app.wiring.relay --home FOLDER [--owner NAME]

Theory of operation. Every wait is a row: what is due is asked of the table, and a message that failed rests there. Each
destination has a task of its own and a lease, so that the relay of `up` and the flush of `train` never mix up its
order; a receiver that hangs holds its own task until its deadline, and nobody else. Points at which a crash may come:

A. before the message is sent: it is due still, and is sent by the next relay.
B. after the receiver took it, before that is written down: it is sent again under its old id, by which the receiver
   knows it.
C. after it is written down: done.
"""

import argparse
import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.ids import TimeIds
from flyball.app.home import Home
from flyball.app.wiring.asking.newest_figures import newest_figures
from flyball.app.wiring.ledger_place import OpenLedger, open_ledger
from flyball.app.wiring.receivers import Directory, receiver_of
from flyball.app.wiring.reminders import Reminders
from flyball.core.clock import timestamp
from flyball.core.declared.alerts import AlertDestination
from flyball.core.declared.destination import Destination
from flyball.core.errors import FlyballError
from flyball.core.outbox import Answer, Outbox, Receiver, Waiting
from flyball.registry.telling.patience import LONGEST_S, REFUSALS, rest_s

POLL_S = 0.25
LEASE_S = 90.0  # longer than the longest deadline of a receiver
BACK_OFF_S = 5.0  # after a fault of ours, or a ledger that cannot be read now
FLUSH_S = 5.0
_LOG = logging.getLogger(__name__)

AnyDestination = Destination | AlertDestination
Declared = Callable[[], Mapping[str, AnyDestination]]
Make = Callable[[str, AnyDestination], Receiver]


class Relay:
    """Handed in: the outbox, who is declared, how to reach them, a name for the leases, dice."""

    def __init__(
        self, outbox: Outbox, declared: Declared, make: Make, *, owner: str, draw: Callable[[], float] = random.random
    ) -> None:
        self._outbox, self._declared, self._make, self._owner, self._draw = outbox, declared, make, owner, draw
        self._receivers: dict[str, tuple[AnyDestination, Receiver]] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Until told to stop. What is under way then is given up, and sent again by the next relay."""
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while not stopping.is_set():
                wait_s = POLL_S
                try:
                    for address in self._outbox.waiting():
                        if address not in tasks or tasks[address].done():
                            tasks[address] = asyncio.create_task(self._drain_or_tell(address))
                except FlyballError as error:
                    _LOG.warning("the outbox cannot be read now: %s", error)
                    wait_s = BACK_OFF_S
                try:
                    await asyncio.wait_for(stopping.wait(), wait_s)
                except TimeoutError:
                    continue
        finally:
            await _cancelled(tasks.values())
            await self.close()

    async def flush(self) -> None:
        """Each destination once, as far as it will take messages now."""
        tasks = [asyncio.create_task(self._drain_or_tell(address)) for address in self._outbox.waiting()]
        try:
            await asyncio.gather(*tasks)
        finally:
            await _cancelled(tasks)
            await self.close()

    async def drain(self, address: str) -> None:
        """Send what is due for one destination, oldest first, until nothing is; nothing where another relay does."""
        if self._outbox.next_due(address) is None:
            return  # asked first: a destination that rests costs no write
        lease = self._outbox.lease(f"relay {address}", self._owner, ttl_s=LEASE_S)
        try:
            while lease is not None and (waiting := self._outbox.next_due(address)) is not None:
                await self._attempt(address, waiting)
                lease = self._outbox.lease(f"relay {address}", self._owner, ttl_s=LEASE_S)
        finally:
            if lease is not None:
                self._outbox.release(lease)

    async def close(self) -> None:
        for _, receiver in self._receivers.values():
            await receiver.close()
        self._receivers.clear()

    async def _attempt(self, address: str, waiting: Waiting) -> None:
        id_, failed = waiting.message.id, waiting.attempts + 1
        destination = self._declared().get(address)
        if destination is None:
            self._outbox.record(id_, "refused", "no service declares this destination any more")
            return
        try:
            answer = await (await self._receiver(address, destination)).send(waiting.message)
        except FlyballError as error:  # a secret that is not there: nothing is sent without its signature
            answer = Answer(ok=False, status=str(error))
        if answer.ok:
            self._outbox.record(id_, "delivered", answer.status)
        elif answer.final and failed >= REFUSALS:
            self._outbox.record(id_, "refused", answer.status)
        else:
            delay_s = max(rest_s(failed, self._draw()), min(answer.rest_s, LONGEST_S))
            self._outbox.record(id_, "failed", answer.status, delay_s=delay_s)

    async def _receiver(self, address: str, destination: AnyDestination) -> Receiver:
        """The one of last time, unless the declaration has changed since."""
        made = self._receivers.get(address)
        if made is not None and made[0] == destination:
            return made[1]
        if made is not None:
            del self._receivers[address]
            await made[1].close()
        receiver = self._make(address, destination)
        self._receivers[address] = destination, receiver
        return receiver

    async def _drain_or_tell(self, address: str) -> None:
        """A fault in one destination is told, and touches no other."""
        try:
            await self.drain(address)
        except FlyballError as error:
            _LOG.warning("%s: %s", address, error)
            await asyncio.sleep(BACK_OFF_S)
        except Exception:
            _LOG.exception("%s: a fault of ours", address)
            await asyncio.sleep(BACK_OFF_S)


def relay_of(home: Home, ledger: OpenLedger, owner: str | None = None) -> Relay:
    """The relay of a home."""
    return Relay(
        ledger,
        Directory(ledger).declared,
        lambda address, destination: receiver_of(address, destination, home, os.environ),
        owner=owner or TimeIds(SystemClock()).new("relay"),
    )


def flush(home: Home, *, within_s: float = FLUSH_S) -> tuple[int, str]:
    """Send what waits, for at most `within_s` seconds: how many messages wait still, and what was said last.

    Nobody's receiver may hold up a training: what does not arrive in time waits for `flyball up` or the next command.
    """
    with closing(open_ledger(home)) as ledger:
        if not ledger.waiting():
            return 0, ""
        relay = relay_of(home, ledger)

        async def bounded() -> None:
            try:
                await asyncio.wait_for(relay.flush(), within_s)
            except TimeoutError:
                _LOG.info("not everything could be sent within %g s", within_s)

        asyncio.run(bounded())
        left = [queue for queue in ledger.queues() if queue.waiting]
        return sum(queue.waiting for queue in left), "; ".join(f"{q.destination}: {q.status}" for q in left)


async def _cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    found = list(tasks)
    for task in found:
        task.cancel()
    await asyncio.gather(*found, return_exceptions=True)


async def _main(home: Home, owner: str | None) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with closing(open_ledger(home)) as ledger:
        clock = SystemClock()

        def newest(service: str) -> Mapping[str, str]:
            return newest_figures(home, service, timestamp(clock.now()))

        reminders = Reminders(ledger, os.environ, clock, newest)
        await asyncio.gather(relay_of(home, ledger, owner).run(stopping), reminders.run(stopping))


def main() -> None:
    parser = argparse.ArgumentParser(prog="flyball relay")
    parser.add_argument("--home", required=True)
    parser.add_argument("--owner")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, format="relay: %(message)s")
    asyncio.run(_main(Home(Path(options.home)), options.owner))


if __name__ == "__main__":
    main()
