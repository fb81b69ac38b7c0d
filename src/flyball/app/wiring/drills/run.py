"""Which service is drilled, and what is written down of it: `flyball drill`."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from flyball.adapters.clock import SystemClock
from flyball.app.declared import Declared, load
from flyball.app.drills.disaster import DisasterReport
from flyball.app.drills.lease import Allowed, allowed_path, lease_path, put, read_allowed
from flyball.app.drills.report import DrillReport, markdown, unmet
from flyball.app.home import Home
from flyball.app.people import Person
from flyball.app.wiring.drills.disaster import Disaster
from flyball.app.wiring.drills.driver import Driver
from flyball.app.wiring.drills.looking import RUNNING_SHARE, service_of
from flyball.app.wiring.drills.own import OwnStage
from flyball.app.wiring.drills.rows import FromSource
from flyball.app.wiring.drills.running import RunningStage
from flyball.app.wiring.drills.turns import Turns, Wanted
from flyball.app.wiring.ledger import ledger_of
from flyball.core.errors import Unavailable

WARM_S = 5.0  # of traffic before a disaster: something has to be laid aside

Say = Callable[[str], None]


def running_up(home: Home) -> Allowed | None:
    """The `flyball up` that runs in a home; None: none does."""
    found = read_allowed(allowed_path(home))
    if found is None:
        return None
    try:
        os.kill(found.pid, 0)
    except ProcessLookupError:
        return None
    return found


def allowing_up(home: Home) -> Allowed | None:
    """As `running_up`. Raises: Unavailable: it allows no drills."""
    up = running_up(home)
    if up is not None and not up.allow_drills:
        raise Unavailable(
            "the flyball up that runs here allows no drills",
            hint="start it with --allow-drills, or name another --home",
        )
    return up


def own_home(option: str | None, home: Home) -> Home:
    """Where the drill's own service lives: where `--home` names a new folder there, else in a new one."""
    if option is not None and not home.has_ledger:
        return home
    return Home(Path(tempfile.mkdtemp(prefix="flyball-drill-")))


def run(home: Home, wanted: Wanted, person: Person, say: Say, *, service: str | None = None) -> DrillReport:
    """Faults one after the other: on the `flyball up` that runs in the home, else on a service of the drill's own.

    Raises: Unavailable: what runs here allows no drills. Refused: something stands against it. NotFound: no such
    service.
    """
    up = allowing_up(home)
    began = time.monotonic()
    report = asyncio.run(_run(home, up, wanted, person, say, service))
    return kept(Home(Path(report.home)), replace(report, seconds=round(time.monotonic() - began, 1)))


async def _run(
    home: Home, up: Allowed | None, wanted: Wanted, person: Person, say: Say, service: str | None
) -> DrillReport:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    say(f"home: {home.root}")
    with ledger_of(home) as ledger:
        if up is None:
            made: OwnStage | RunningStage = OwnStage(home, ledger, rate=wanted.rate, small=wanted.small)
        else:
            made = RunningStage(home, ledger, up, service, wanted.share or RUNNING_SHARE)
            wanted = replace(wanted, share=wanted.share or RUNNING_SHARE)
        async with made.running() as stage:
            if up is None:
                await asyncio.sleep(wanted.warm_s)
            driver = Driver(stage, ledger, lease_path(home), person, made.watchers)
            rows, left_out = await Turns(ledger, stage, driver, person, say, own=up is None).all(wanted)
    return DrillReport(
        drills=rows,
        left_out=left_out,
        service=stage.service,
        home=str(home.root),
        within_s=wanted.within_s,
        unmet=unmet(rows, wanted.within_s),
    )


def disaster(home: Home, person: Person, say: Say, *, service: str | None = None) -> DisasterReport:
    """Lay the home aside and back elsewhere: that of a running `flyball up`, of a service whose file is named, or of
    a service of the drill's own.

    Raises: Unavailable, Refused, NotFound, BadInput.
    """
    up = allowing_up(home)
    if up is not None:
        name, file = service_of(up, service)
        return asyncio.run(_disaster(home, load(file), name, person, say))
    if service is not None:
        declared = load(service)
        return asyncio.run(_disaster(home, declared, declared.service.metadata.name, person, say))
    return asyncio.run(_own_disaster(home, person, say))


async def _disaster(home: Home, declared: Declared, name: str, person: Person, say: Say) -> DisasterReport:
    row, _ = FromSource(declared, np.random.default_rng(0), SystemClock()).next()
    with ledger_of(home) as ledger:
        return await Disaster(home, ledger, declared.file.resolve(), name, person, say, own=False).drill(row)


async def _own_disaster(home: Home, person: Person, say: Say) -> DisasterReport:
    say(f"home: {home.root}")
    with ledger_of(home) as ledger:
        made = OwnStage(home, ledger)
        async with made.running() as stage:
            await asyncio.sleep(WARM_S)
            row, _ = made.rows.next()
            return await Disaster(home, ledger, made.file, stage.service, person, say, own=True).drill(row)


def kept(home: Home, report: DrillReport) -> DrillReport:
    """The report with the name of the file that holds it, in the home's `drills/`, as Markdown and as JSON."""
    names = [row.drill for row in report.drills]
    file = home.root / "drills" / f"{names[-1] if names else 'none'}.md"
    named = replace(report, report=str(file))
    put(file.with_suffix(".json"), named)
    file.write_text(markdown(named), encoding="utf-8")
    return named


def read_report(file: Path) -> DrillReport:
    """What `kept` has written. Raises: OSError, msgspec.DecodeError."""
    return msgspec.json.decode(file.read_bytes(), type=DrillReport)
