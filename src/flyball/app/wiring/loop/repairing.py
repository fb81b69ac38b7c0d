"""Repaired rows that have come to lie where the service says: the controller has them filled in, beside its rounds.

What is wanted is on the ledger (a quarantine that has ended, `healing.unrepaired`), and so is what was done
(`backfill.done`, which names the incident): a controller that was killed looks again. A file is tried once for each
time that it changed, so one that is half written, or breaks the contract, is tried again when it is whole.
"""

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from flyball.app.home import Home
from flyball.app.wiring.loop.forensics import Keeps
from flyball.control.state.healing_state import Unrepaired

EVERY_S, WAIT_S = 5.0, 0.5
PROCESS = "flyball.app.wiring.backfill.filling_in"
Stamp = tuple[int, int]  # when it was written, nanoseconds; bytes


def keep_all(files: Sequence[Path], keepers: Sequence[Keeps], home: Home, stopping: threading.Event) -> None:
    """Until told to stop: of every service whose incidents are repaired by file. `files`: of the keepers, in order."""
    tried: dict[tuple[str, str], Stamp] = {}
    while not stopping.wait(EVERY_S):
        for file, keeper in zip(files, keepers, strict=True):
            standing = keeper.standing
            if standing is None or standing[1].repairs is None:
                continue
            state, declared = standing
            for one in state.healing.unrepaired.values():
                rows, key = file.parent / str(declared.repaired(one.incident)), (state.service, one.incident)
                stamp = stamp_of(rows)
                if stamp is not None and tried.get(key) != stamp and not stopping.is_set():
                    tried[key] = stamp
                    fill_in(file, one, rows, home, stopping)


def stamp_of(rows: Path) -> Stamp | None:
    """None: there is no such file."""
    try:
        found = rows.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def fill_in(file: Path, one: Unrepaired, rows: Path, home: Home, stopping: threading.Event) -> int | None:
    """Its exit code; what it says goes to our standard error. None: we were told to stop, and so was it."""
    words = {"home": home.root, "service": file, "incident": one.incident, "since": one.since, "until": one.until}
    options = [word for key, value in (words | {"rows": rows}).items() for word in (f"--{key}", str(value))]
    with subprocess.Popen([sys.executable, "-P", "-m", PROCESS, *options], stdin=subprocess.DEVNULL) as process:
        while not stopping.is_set():
            try:
                code = process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                continue
            if code:
                sys.stderr.write(f"controller: {one.incident}: {rows} was not filled in: exit code {code}\n")
            return code
        process.terminate()
    return None
