"""What was there when an incident was opened, kept as files: a thread of the controller beside the loop.

In the home, `incidents/ID/`: panes of the span, example rows as the prediction log has them (what is personal is hashed
there already), the routing table, the newest windows, the health, the releases that served. `manifest.json` lists the
files by digest, and its own digest goes to the ledger.

Crash points, each repaired by the next round: before the manifest is there, the files are written again; after it and
before the fact, the manifest that is there is told; after the fact nothing is left to do (its id is the incident's). A
part that cannot be had or written is named as missing, with the reason; a disk too full for the manifest is told once
and tried again. Nothing of this is waited for by the loop.
"""

import hashlib
import io
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
import polars as pl

from flyball.adapters.prediction_log.files import sealed
from flyball.adapters.prediction_log.query import tables
from flyball.adapters.window_book import windows_of
from flyball.app.home import Home
from flyball.control.state.incident_state import OpenIncident
from flyball.control.state.service_state import ServiceState
from flyball.core.clock import moment
from flyball.core.codec import digest
from flyball.core.errors import FlyballError
from flyball.core.events import ForensicsKept
from flyball.core.facts.storage import EXAMPLES, StorageCollected, examples_place
from flyball.core.ids import Digest, ServiceName
from flyball.core.ledger import Ledger
from flyball.core.record import Record
from flyball.core.service import Incidents
from flyball.serving.serve.workers.spool import write_whole as write_whole

EVERY_S = 1.0
MOST_PANES, WINDOWS = 2000, 10
MANIFEST = "manifest.json"


class Manifest(Record):
    incident: str
    files: dict[str, Digest]  # by name, of the content
    missing: dict[str, str] = {}


class Keeps(Protocol):
    """What the thread asks of who keeps a service; None: its loop has not begun."""

    @property
    def standing(self) -> tuple[ServiceState, Incidents] | None: ...


def keep_all(keepers: Sequence[Keeps], home: Home, ledger: Ledger, stopping: threading.Event) -> None:
    """Until told to stop: of every open incident of which nothing is kept yet."""
    told: dict[str, str] = {}
    while not stopping.wait(EVERY_S):
        for keeper in keepers:
            standing = keeper.standing
            if standing is None:
                continue
            state, declared = standing
            for name, one in state.incidents.open.items():
                if one.kept or told.get(name) == "":
                    continue
                try:
                    keep(one, state, declared, home, ledger)
                    told[name] = ""  # kept; the loop reads the fact at its next tick
                except Exception as error:  # a fault of ours must not end the controller's other threads
                    if told.get(name) != str(error):
                        sys.stderr.write(f"controller: {name}: nothing can be kept of it now: {error}\n")
                    told[name] = str(error)


def keep(one: OpenIncident, state: ServiceState, declared: Incidents, home: Home, ledger: Ledger) -> ForensicsKept:
    """Write the files, and the fact. Raises: OSError: not even the manifest can be written."""
    name = one.opened.incident
    folder = home.incident(name)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = folder / MANIFEST
    manifest = _read(place)
    if manifest is None:
        parts = _parts(one, state, declared, home)
        if _taken(ledger, state.service, name):
            parts[EXAMPLES] = _not_again
        manifest = _written(name, folder, parts)
        write_whole(place, msgspec.json.encode(manifest))
    fact = ForensicsKept(
        service=ServiceName(state.service),
        incident=name,
        digest=digest("flyball/forensics/v1", msgspec.to_builtins(manifest)),
        files=tuple(manifest.files),
        missing=manifest.missing,
    )
    ledger.append([fact], ids=[f"forensics/{state.service}/{name}"])
    return fact


def _taken(ledger: Ledger, service: str, incident: str) -> bool:
    """Whether the retention of the log has deleted its example rows, such as those of a torn folder."""
    facts = (entry.fact for entry in ledger.read(subject=service))
    told = (each for fact in facts if isinstance(fact, StorageCollected) for each in fact.deleted)
    return any(each.name == examples_place(incident) for each in told)


def _not_again() -> bytes:
    raise FileNotFoundError("deleted by the retention of the prediction log")


def _read(place: Path) -> Manifest | None:
    """None: there is none, or it is torn, and nobody was told of it: it is made again."""
    try:
        return msgspec.json.decode(place.read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _written(name: str, folder: Path, parts: dict[str, Callable[[], bytes]]) -> Manifest:
    files: dict[str, Digest] = {}
    missing: dict[str, str] = {}
    for file, part in parts.items():
        try:
            data = part()
            write_whole(folder / file, data)
        except (OSError, FlyballError, pl.exceptions.PolarsError) as error:
            missing[file] = str(error) or type(error).__name__
            continue
        files[file] = Digest("sha256:" + hashlib.sha256(data).hexdigest())
    return Manifest(incident=name, files=files, missing=missing)


def _parts(one: OpenIncident, state: ServiceState, declared: Incidents, home: Home) -> dict[str, Callable[[], bytes]]:
    """How each file is made; small ones first, for a disk that is nearly full."""
    opened = moment(one.at)
    began = moment(one.opened.began) if one.opened.began else opened
    since = (min(began, opened) - timedelta(seconds=declared.before_s)).timestamp()
    until = opened.timestamp()
    return {
        "routing.json": lambda: _json(
            {"ordered": state.routing, "applied_epoch": state.applied, "ordered_epoch": state.epoch}
        ),
        "releases.json": lambda: _json(_releases(state)),
        "health.json": lambda: _json(
            {"health": state.health.health, "since": state.health.since, "signals": list(state.signals.values())}
        ),
        "panes.json": lambda: _json(_panes(home, state.service, since, until)),
        "windows.json": lambda: _json(windows_of(home.windows(state.service), last=WINDOWS)),
        EXAMPLES: lambda: _examples(home, state.service, since, until, declared.examples),
    }


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def _releases(state: ServiceState) -> dict[str, Any]:
    rollout = state.rollout
    return {
        "champion": state.champion,
        "previous": state.previous,
        "candidate": rollout.release if rollout else None,
        "rollout": rollout.rollout if rollout else None,
        "step": rollout.step.index if rollout and rollout.step else None,
        "policy": state.policy,
    }


def _panes(home: Home, service: str, since: float, until: float) -> list[Any]:
    """Headers of the sealed panes that overlap the span, the newest of them. Raises: OSError."""
    found: list[Any] = []
    for each in reversed(sealed(home.telemetry(service))):
        panes = [pane for pane in each.panes() if pane.end >= since and pane.start <= until]
        found = [*panes, *found]
        if len(found) >= MOST_PANES or each.panes()[0].start < since:
            break
    return found[-MOST_PANES:]


def _examples(home: Home, service: str, since: float, until: float, most: int) -> bytes:
    """Newest rows of the span: first those that were not simply answered."""
    rows = tables(home.telemetry(service), ("predictions",), since=since, until=until)["predictions"]
    if "outcome" not in rows.collect_schema():
        raise FileNotFoundError("the prediction log is empty")
    odd = (pl.col("outcome") != "answered") | pl.col("error") | pl.col("slow")
    found = rows.sort(odd, "at", descending=[True, True]).head(most).collect(engine="streaming")
    buffer = io.BytesIO()
    found.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
