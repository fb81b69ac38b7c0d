"""What a checklist looks at outside the ledger: releases that verify, labels that arrive, a controller that keeps."""

from pathlib import Path

import polars as pl

from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.app.wiring.backup.on_record import newest_whole
from flyball.app.wiring.loop.beats import seen_s
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.contracts.odcs.document import parse_contract
from flyball.control.review.readiness import Checked, Looked
from flyball.control.state.service_state import ServiceState
from flyball.core.clock import moment
from flyball.core.errors import BadInput, FlyballError, Unavailable
from flyball.core.health_report import SILENT_S
from flyball.core.ids import short
from flyball.core.service import Service
from flyball.pipeline.packing import CONTRACT

DAY_S = 86_400.0


def looked(home: Home, service: Service, state: ServiceState, now_s: float) -> Looked:
    """Args: state: where its facts leave it. now_s: seconds since the epoch."""
    folder, champion = _verified(home, state.champion)
    return Looked(
        champion=champion,
        previous=_verified(home, state.previous)[1],
        levels=_levels(folder),
        labels=_labels(home, service, now_s),
        controller=_controller(home, service.metadata.name),
        backup=_backup(service, state, now_s),
    )


def _backup(service: Service, state: ServiceState, now_s: float) -> Checked:
    """Every byte of the newest one that is still whole, as before it is laid back."""
    made, wrong = newest_whole(state.routine.backups)
    gone = f"; {'; '.join(wrong)}" if wrong else ""
    if made is None:
        return Checked(ok=False, why="no backup on record is whole" + gone)
    every_s = service.review.backup_every_s or 7 * DAY_S
    age_s = max(0.0, now_s - moment(made.made_at).timestamp())
    told = f"{made.folder} is whole and {age_s / DAY_S:.1f} days old"
    if age_s > every_s:
        return Checked(ok=False, why=f"{told}: {every_s / DAY_S:g} at most{gone}")
    return Checked(ok=True, why=told + gone)


def _verified(home: Home, root: str | None) -> tuple[Path | None, Checked]:
    """Signature and every byte, as before a gateway loads it."""
    if root is None:
        return None, Checked(ok=False, why="there is none")
    try:
        folder = Path(ReleaseStore(home).verified(root))
    except FlyballError as error:
        return None, Checked(ok=False, why=str(error))
    return folder, Checked(ok=True, why=f"signature and every byte of {short(root)} verify")


def _levels(folder: Path | None) -> Checked:
    """Of the contract that is packaged with the champion: what is served is held to that one."""
    if folder is None:
        return Checked(ok=None, why="no release that verifies holds a contract")
    try:
        contract = parse_contract((folder / CONTRACT).read_text(encoding="utf-8"), file=CONTRACT).contract
    except (BadInput, OSError) as error:
        return Checked(ok=None, why=f"the packaged contract cannot be read: {error}")
    names = ", ".join(sorted({level.name for level in contract.levels}))
    return Checked(ok=bool(names), why=f"it promises {names}" if names else "the packaged contract promises none")


def _labels(home: Home, service: Service, now_s: float) -> Checked:
    """The newest label is no older than a day, or twice the time that labels may take."""
    name, patience_s = service.metadata.name, max(DAY_S, 2 * service.data.label_window_s)
    folder = home.telemetry(name)
    if not folder.is_dir():
        return Checked(ok=None, why="no row has come yet, so no label can")
    try:
        found = tables(folder, ("labels",))["labels"].select(rows=pl.len(), newest=pl.col("at").max()).collect()
    except Unavailable as error:
        return Checked(ok=None, why=f"the labels cannot be read: {error}")
    rows, newest = found.row(0)
    if not rows:
        return Checked(ok=False, why="rows have come, and no label")
    age_s = max(0.0, now_s - newest)
    told = f"{rows} labels, the newest {age_s / 3_600:.1f} h ago"
    return Checked(ok=age_s <= patience_s, why=told + ("" if age_s <= patience_s else ": the feed may be dead"))


def _controller(home: Home, service: str) -> Checked:
    try:
        seen = seen_s(home, service)
    except Unavailable as error:
        return Checked(ok=None, why=str(error))
    if seen is None:
        return Checked(ok=False, why="none has been seen in this home")
    return Checked(ok=seen <= SILENT_S, why=f"one has kept it {seen:.0f} s ago")
