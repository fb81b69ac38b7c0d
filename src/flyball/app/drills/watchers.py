"""What is seen of a service beside its ledger: its processes, and its controller's beat.

Each look at the world is compared with the one before; what differs is a change.
"""

import os
from collections.abc import Callable
from pathlib import Path

from flyball.app.drills.seen import Change
from flyball.app.home import Home
from flyball.core.health_report import SILENT_S

WORKER = "flyball.app.wiring.serving.worker"


def pid_of(home: Home, name: str) -> int | None:
    """Of the running `gateway` or `controller`; None while there is none."""
    try:
        pid = int((home.root / "run" / f"{name}.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _alive(pid) else None


def workers_of(gateway: int | None) -> dict[int, str]:
    """Processes of this gateway that answer: id -> the worker's number."""
    found: dict[int, str] = {}
    for place in Path("/proc").iterdir() if gateway is not None else ():
        if not place.name.isdigit():
            continue
        try:
            parent = (place / "stat").read_text().rpartition(")")[2].split()[:2]
            words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if parent[0] != "Z" and int(parent[1]) == gateway and WORKER in words:
            found[int(place.name)] = words[words.index("--number") + 1] if "--number" in words else "?"
    return found


class Watchers:
    """Of one service; `look` says what has changed since it was asked last."""

    def __init__(self, home: Home, kept_at: Callable[[], float | None]) -> None:
        """`kept_at`: when the controller kept the service last, seconds since the epoch."""
        self._home, self._kept_at = home, kept_at
        self._pids = {name: pid_of(home, name) for name in ("gateway", "controller")}
        self._workers = workers_of(self._pids["gateway"])
        self._missing: set[str] = set()
        self._usual = len(self._workers)
        self._silent = False

    def look(self, now: float) -> list[Change]:
        return [*self._processes(now), *self._crew(now), *self._beat(now)]

    def _processes(self, now: float) -> list[Change]:
        found = []
        for name, before in self._pids.items():
            pid, key = pid_of(self._home, name), f"process/{name}"
            if pid == before:
                continue
            if before is not None:
                found.append(Change(at=now, key=key, what="begins", words=f"process {before} is gone"))
            if pid is not None:
                found.append(Change(at=now, key=key, what="ends", words=f"process {pid} in its place"))
            self._pids[name] = pid
        return found

    def _crew(self, now: float) -> list[Change]:
        """Workers that are gone, and whether as many are there again."""
        living = workers_of(self._pids["gateway"])
        gone = sorted(self._workers.keys() - living.keys())
        found = [
            Change(at=now, key=f"process/worker/{pid}", what="begins", words=f"worker {self._workers[pid]} is gone")
            for pid in gone
        ]
        self._missing |= {change.key for change in found}
        if len(living) >= self._usual:
            found += [Change(at=now, key=key, what="ends") for key in sorted(self._missing)]
            self._missing = set()
        self._workers = living
        return found

    def _beat(self, now: float) -> list[Change]:
        kept = self._kept_at()
        silent = kept is not None and now - kept > SILENT_S
        if silent == self._silent:
            return []
        self._silent = silent
        words = f"no controller has kept it for {SILENT_S:g} s" if silent else ""
        return [Change(at=now, key="controller/silent", what="begins" if silent else "ends", words=words)]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a process that was killed and not yet waited for still has its number
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
