"""The workers of one gateway, as their supervisor keeps them: started, brought up, started again when they die.

Theory of operation. All workers accept from one listening socket that the supervisor holds as well, so a connection
that waits is never lost with a worker: another takes it. A worker that arrives is brought up by the table in force
(`prepare`, `settle`) and only then told to open, so nobody is ever asked who is not warm. A worker that dies takes with
it the requests in its hands and nothing else: its counts are in the mapped file, its records are repaired by the
worker that takes its number. One that does not answer an order in time is killed: after that it is one that died.

There is one number more than there are workers. `renew` gives it to a fresh one, and only when that one is warm and
takes connections the worn one leaves: it takes no connection more, parts from each client with an answer, and ends. Its
number is the spare one from then on.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from flyball.core.errors import FlyballError, Unavailable
from flyball.serving.orders import Collect, FromWorker, Here, Open, Order
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.http.server import LEAVE
from flyball.serving.serve.resident import resident_mb
from flyball.serving.serve.workers.link import LIMIT, Gone, Link

START_S = 120.0  # to load a release in every worker
SETTLE_S = 10.0  # to answer an order that needs no loading
STOP_S = 15.0  # a worker that has not drained by then is killed
COLLECT_S = 1.0
HEARTBEAT_S, SILENT_S = 5.0, 30.0  # between questions to each worker; without an answer it is started again
LEAVE_S = 60.0  # one that was to leave and has not is asked to drain, and then killed
_PAUSES_S = (0.0, 0.2, 1.0, 5.0)  # before the next start, by how many starts in a row came to nothing

Spawn = Callable[[int, str], Awaitable["asyncio.subprocess.Process"]]  # worker's number, path of our socket
BringUp = Callable[[Link], Awaitable[None]]


class Workers:
    """A fixed number of worker processes."""

    def __init__(
        self,
        numbers: Sequence[int],
        spawn: Spawn,
        folder: Path,
        *,
        bring_up: BringUp,
        sum_up: Callable[[list[str]], str],
        complain: Callable[[str], None],
        gone: Callable[[int, str], None],
    ) -> None:
        """`numbers`: of the workers, and one to spare. `folder`: short, for the socket.
        `bring_up`: orders a worker that has arrived needs before it opens.
        `sum_up`: one report of several. `gone`: told the number of a worker that has ended, and its last report."""
        self._gone = gone
        self._spawn, self._path = spawn, folder / "workers.sock"
        self._bring_up, self._sum, self._complain = bring_up, sum_up, Complaints(complain)
        *self._seats, self._spare = numbers  # of the workers; the one that nobody has
        self._changing = [asyncio.Lock() for _ in self._seats]  # held while somebody else comes to sit there
        self._moved = [asyncio.Event() for _ in self._seats]  # somebody else does
        self._renewing = asyncio.Lock()
        self._links: dict[int, Link] = {}
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._arrived: dict[int, asyncio.Future[Link]] = {}
        self._opened = False
        self._server: asyncio.Server | None = None
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def live(self) -> list[Link]:
        """Workers that obey, by number."""
        return [link for _, link in sorted(self._links.items()) if link.alive]

    async def start(self) -> None:
        """Returns when all have arrived; they are not open yet. Raises: Unavailable: one does not come up."""
        self._server = await asyncio.start_unix_server(self._converse, self._path, limit=LIMIT)
        firsts = [asyncio.create_task(self._life_begins(number)) for number in self._seats]
        try:
            await asyncio.gather(*firsts)
        finally:
            for first in firsts:
                first.cancel()
        self._keepers = [asyncio.create_task(self._keep(seat)) for seat in range(len(self._seats))]
        self._keepers.append(asyncio.create_task(self._ask_how_they_are()))

    async def open(self) -> None:
        """Let them take connections; one that died meanwhile is opened when it is back."""
        self._opened = True
        await asyncio.gather(*map(self._open, self.live), return_exceptions=True)

    async def ask_all(self, make: Callable[[int], Order], *, within_s: float, but: Collection[Link] = ()) -> None:
        """The same order to every worker that lives. A worker that dies over it begins anew with the newest table.

        `but`: who is not asked. Raises: Unavailable: nobody is left to ask. Else the first refusal, once all have
        answered.
        """
        links = [link for link in self.live if link not in but]
        answers = await asyncio.gather(*(self._told(link, make, within_s) for link in links), return_exceptions=True)
        if all(isinstance(answer, Gone) for answer in answers):
            raise Unavailable("no worker of this gateway is alive")
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Gone):
                raise answer

    async def reports(self) -> str:
        """Those of all workers that answer in time, and of those that were, as one."""
        await asyncio.gather(*map(self._asked, self.live), return_exceptions=True)
        return self._sum([link.told for link in self._links.values() if link.told])

    async def _asked(self, link: Link) -> None:
        link.told = await link.ask(lambda number: Collect(number=number), within_s=COLLECT_S)

    async def stop(self) -> None:
        """Let every worker finish what it has, then end it."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(self._end(number) for number in self._processes))
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _open(self, link: Link) -> None:
        link.opened, link.fresh_mb = True, resident_mb(link.pid)
        await self._told(link, lambda number: Open(number=number), START_S)

    async def _told(self, link: Link, make: Callable[[int], Order], within_s: float) -> str:
        try:
            return await link.ask(make, within_s=within_s)
        except TimeoutError as error:
            self._complain(f"worker {link.worker} (pid {link.pid}) does not answer: it is started again")
            self._kill(link.worker)
            raise Gone(f"worker {link.worker} did not answer within {within_s:g} s") from error

    async def renew(self, number: int, why: str) -> bool:
        """Put a fresh worker in the place of this one; True when it has left. False: nothing has changed, because no
        fresh one came up, or because this one has no place any more."""
        async with self._renewing:
            if number not in self._seats:
                return False
            seat, fresh = self._seats.index(number), self._spare
            async with self._changing[seat]:
                self._complain(f"worker {number} makes room for another: {why}")
                try:
                    await self._comes_up(fresh)
                except (FlyballError, OSError) as error:
                    self._complain(f"worker {number} stays, no other comes up: {error}")
                    await self._killed(fresh)
                    return False
                self._seats[seat] = fresh
                self._moved[seat].set()
            await self._leave(number)
            self._spare = number
            return True

    async def _keep(self, seat: int) -> None:
        """Wait for the end of whoever sits there, start the next one; for as long as the gateway runs."""
        while True:
            number = self._seats[seat]
            self._moved[seat].clear()
            process = self._processes[number]
            signs = {asyncio.create_task(process.wait()), asyncio.create_task(self._moved[seat].wait())}
            try:
                await asyncio.wait(signs, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for sign in signs:
                    sign.cancel()
            async with self._changing[seat]:
                if self._seats[seat] == number:
                    await self._begins_again(number)

    async def _begins_again(self, number: int) -> None:
        process, failed = self._processes[number], 0
        await self._has_ended(number)
        self._complain(f"worker {number} (pid {process.pid}) ended ({process.returncode}); it is started again")
        while True:
            await asyncio.sleep(_PAUSES_S[min(failed, len(_PAUSES_S) - 1)])
            failed += 1
            try:
                await self._comes_up(number)
            except (FlyballError, OSError) as error:  # the second: no process or no file can be had now
                self._complain(f"worker {number} does not come up: {error}")
                await self._killed(number)
            else:
                return

    async def _comes_up(self, number: int) -> None:
        """Start it and tell it all there is to know. Raises: FlyballError, OSError."""
        link = await self._life_begins(number)
        await self._bring_up(link)
        if self._opened:
            await self._open(link)

    async def _leave(self, number: int) -> None:
        """Somebody else sits in its place. It takes its time, within a bound."""
        process = self._processes[number]
        with contextlib.suppress(ProcessLookupError):  # it ended a moment ago by itself
            process.send_signal(LEAVE)
        try:
            await asyncio.wait_for(process.wait(), LEAVE_S)
        except TimeoutError:
            await self._end(number)
        await self._has_ended(number)

    async def _has_ended(self, number: int) -> None:
        link = self._links.pop(number, None)
        if link is not None:
            await link.over.wait()  # its last word may still be on the way
        self._gone(number, link.told if link is not None else "")

    async def _ask_how_they_are(self) -> None:
        """A worker whose event loop stands still would keep its connections waiting for good."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            told = (self._told(link, lambda number: Open(number=number), SILENT_S) for link in self.live if link.opened)
            await asyncio.gather(*told, return_exceptions=True)  # who is silent is killed there, and started again

    async def _life_begins(self, number: int) -> Link:
        """Start the process and wait for its word. Raises: Unavailable."""
        arrived: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        self._arrived[number] = arrived
        process = self._processes[number] = await self._spawn(number, str(self._path))
        ended = asyncio.ensure_future(process.wait())
        first: set[asyncio.Future[Any]] = {ended, arrived}
        try:
            await asyncio.wait(first, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if not arrived.done():
            code = process.returncode
            raise Unavailable(
                f"worker {number} {'is not there' if code is None else f'ended ({code})'} before it obeyed"
            )
        return arrived.result()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = msgspec.json.decode(await reader.readline(), type=FromWorker)
        expected = self._arrived.get(here.worker) if isinstance(here, Here) else None
        if not isinstance(here, Here) or expected is None or expected.done():
            writer.close()
            return
        link = Link(here, reader, writer, self.reports)
        self._links[here.worker] = link
        expected.set_result(link)
        await link.listen()

    async def _killed(self, number: int) -> None:
        """Without a trace of it. There may have been no process to start at all."""
        self._kill(number)
        if (process := self._processes.get(number)) is not None:
            await process.wait()
        self._links.pop(number, None)

    def _kill(self, number: int) -> None:
        process = self._processes.get(number)
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it ended a moment ago by itself
                process.kill()

    async def _end(self, number: int) -> None:
        """One that is not open yet has nothing to finish, and may not hear us."""
        process, link = self._processes[number], self._links.get(number)
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            (process.terminate if link is not None and link.opened else process.kill)()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
