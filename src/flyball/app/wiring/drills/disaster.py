"""The drill of a disaster: the home is laid aside, taken for lost, laid back elsewhere, and has to answer there.

The home itself is only read, but for the two facts of the drill. Backup and restored home hold the signing key; both
are deleted at the end. A drill that was killed leaves them in the home's `drills/`, and no `drill.ended`; the
controller says that it is over.
"""

import asyncio
import contextlib
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.ids import TimeIds
from flyball.app.drills.disaster import SAME, DisasterReport, markdown, routing_differences
from flyball.app.drills.lease import lease_path, put
from flyball.app.home import Home
from flyball.app.people import Person, states_of
from flyball.app.subjects import Reading
from flyball.app.wiring.backup.backup import backup
from flyball.app.wiring.backup.on_record import newest_whole
from flyball.app.wiring.backup.restore import restore
from flyball.app.wiring.drills.turns import ready
from flyball.app.wiring.drills.underway import underway
from flyball.app.wiring.ledger import open_ledger
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.errors import Refused, Unavailable
from flyball.core.ids import ServiceName, short
from flyball.core.ledger import Ledger
from flyball.serving.serve.workers.table import read_table

READY_S, ANSWER_S, REPRODUCE_S, STOP_S = 180.0, 30.0, 600.0, 20.0
LONGEST_S = 1800.0  # after which the controller says that it is over

Row = dict[str, Any]


class Disaster:
    """Of one service of a home."""

    def __init__(
        self,
        home: Home,
        ledger: Ledger,
        file: Path,
        service: str,
        person: Person,
        say: Callable[[str], None],
        *,
        own: bool,
    ) -> None:
        """`file`: its service.yaml, which lies in the owner's repository and in no home. `own`: the service is the
        drill's own."""
        self._home, self._ledger, self._file, self._service = home, ledger, file, service
        self._person, self._say, self._own = person, say, own
        self._id = TimeIds(SystemClock()).new("dr")
        self._place = home.root / "drills" / self._id

    async def drill(self, row: Row) -> DisasterReport:
        """`row`: one request. Raises: Refused: the service has no champion, is not well, or a drill runs. NotAllowed.
        Unavailable: something cannot be done."""
        if self._state(self._ledger).champion is None:
            raise Refused(f"{self._service} has no champion yet: nothing would answer")
        reading, lease = Reading(self._ledger), lease_path(self._home)
        ready(self._ledger, reading, self._service, lease, self._person, own=self._own, strikes=False)
        until = timestamp(datetime.fromtimestamp(time.time() + LONGEST_S, UTC))
        name = ServiceName(self._service)
        begun = e.DrillBegun(
            service=name,
            drill=self._id,
            fault="disaster",
            share=0.0,
            until=until,
            by=self._person.name,
            proof=self._person.proof,
        )
        with underway(self._ledger, begun):
            try:
                report = await self._drill(row)
            finally:
                shutil.rmtree(self._place, ignore_errors=True)
            self._ledger.append([_ended(name, report)])
        return self._kept(report)

    async def _drill(self, row: Row) -> DisasterReport:
        self._say("backup")
        began = time.monotonic()
        made = await asyncio.to_thread(partial(backup, self._home, self._place / "backup", on_record=False))
        backup_s = time.monotonic() - began
        kept, gone = await asyncio.to_thread(newest_whole, self._state(self._ledger).routine.backups)
        lost_at = time.monotonic()
        newest, entries = self._newest()
        self._say("the home is taken for lost; restore")
        other = Home(self._place / "home")
        back = await asyncio.to_thread(restore, self._place / "backup", other)
        differences = list(back.differences)
        with closing(open_ledger(other, told=False)) as ledger:
            state = self._state(ledger)
        table = read_table(other.gateway(self._service))
        held = table.routing if table is not None else None
        differences += routing_differences(state.routing, held, state.champion)
        self._say("a gateway on the restored home")
        async with self._served(other) as url:
            answer = await _asked(url, self._service, row)
        rto_s = time.monotonic() - lost_at
        if answer is None or answer["release"] != state.champion:
            differences.append(f"the answer there came from {answer['release'] if answer else 'nobody'}")
        self._say("one release made again")
        verdict = await self._reproduced(other, str(state.champion))
        if verdict not in SAME:
            differences.append(f"release {short(str(state.champion))} made again is {verdict}")
        return DisasterReport(
            fault="disaster",
            drill=self._id,
            service=self._service,
            ok=not differences,
            rpo_s=None if kept is None else _apart_s(kept.newest_at, newest),
            newest_backup="" if kept is None else kept.folder,
            newest_facts_lost=None if kept is None else entries - kept.entries,
            drill_rpo_s=_apart_s(made.newest_at, newest),
            backups_gone=gone,
            rto_s=round(rto_s, 2),
            facts_lost=entries - made.entries,
            backup_age_s=round(lost_at - began, 2),
            backup_s=round(backup_s, 2),
            size=made.size,
            entries=back.entries,
            verified=back.verified,
            routing="none" if held is None else f"{short(held.champion)} at epoch {held.epoch}",
            answered_by="" if answer is None else short(answer["release"]),
            reproduced=verdict,
            differences=tuple(differences),
        )

    def _newest(self) -> tuple[str, int]:
        """When the newest fact was written, and how many there are."""
        size = self._ledger.head().size
        return [entry.at for entry in self._ledger.read(size - 1)][-1], size

    def _state(self, ledger: Ledger) -> ServiceState:
        states = states_of(ledger)
        return states.get(self._service, ServiceState(service=self._service))

    @asynccontextmanager
    async def _served(self, home: Home) -> AsyncIterator[str]:
        """The address of a gateway that answers from this home. Raises: Unavailable."""
        process = await self._flyball("serve", str(self._file), "--port", "0", home=home)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(READY_S):
                line = await process.stdout.readline()
            if not line:
                raise Unavailable(f"no gateway comes up on the restored home: it ended with {await process.wait()}")
            yield str(msgspec.json.decode(line)["url"])
        except (TimeoutError, msgspec.DecodeError, KeyError) as error:
            raise Unavailable(f"no gateway comes up on the restored home: {error}") from error
        finally:
            await _end(process)

    async def _reproduced(self, home: Home, release: str) -> str:
        """The verdict of `flyball reproduce`."""
        process = await self._flyball("reproduce", release, home=home)
        try:
            async with asyncio.timeout(REPRODUCE_S):
                out, _ = await process.communicate()
            return str(msgspec.json.decode(out).get("verdict", "no verdict"))
        except (TimeoutError, msgspec.DecodeError) as error:
            return f"not to be judged: {error!r}"
        finally:
            await _end(process)

    async def _flyball(self, *words: str, home: Home) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "flyball.app.cli", *words, "--json", "--home", str(home.root)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on
        )

    def _kept(self, report: DisasterReport) -> DisasterReport:
        file = self._home.root / "drills" / f"{self._id}.md"
        named = msgspec.structs.replace(report, report=str(file))
        put(file.with_suffix(".json"), named)
        file.write_text(markdown(named), encoding="utf-8")
        return named


async def _asked(url: str, service: str, row: Row) -> Row | None:
    """The answer, of a release; None: there is none."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    async with (
        aiohttp.ClientSession(url, timeout=timeout, headers={"X-Flyball-Probe": "1"}) as session,
        session.post(f"/v1/services/{service}/predict", json=row) as response,
    ):
        if response.status != 200:
            return None
        answer: Row = (await response.json())["predictions"][0]
    return answer if answer.get("fallback", "") is None else None


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, wait, and then insist."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):  # it ended a moment ago by itself
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _apart_s(before: str, after: str) -> float:
    return round((moment(after) - moment(before)).total_seconds(), 3)


def _ended(service: ServiceName, report: DisasterReport) -> e.DrillEnded:
    return e.DrillEnded(
        service=service,
        drill=report.drill,
        fault="disaster",
        outcome="passed" if report.ok else "missed",
        recovered_s=report.rto_s,
        automatic=True,
        why="; ".join(report.differences),
        figures={
            **({} if report.rpo_s is None else {"rpo_s": report.rpo_s}),
            "drill_rpo_s": report.drill_rpo_s,
            "rto_s": report.rto_s,
            "facts_lost": float(report.facts_lost),
        },
    )
