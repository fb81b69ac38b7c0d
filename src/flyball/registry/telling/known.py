"""What has to be known of a service to tell its next fact to somebody who was not there: a fold over its facts."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from flyball.core.declared.alerts import Alerts
from flyball.core.declared.destination import Destination
from flyball.core.events import (
    ChampionAppointed,
    ReleaseRegistered,
    RolledBack,
    RolloutOpened,
    ServiceDeclared,
    SignalCleared,
    SignalRaised,
    SnapshotTaken,
    TicketOpened,
)
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.core.release import Release, Snapshot
from flyball.core.watching import Signal
from flyball.registry import open_runs
from flyball.registry.open_runs import Run
from flyball.registry.telling.alerting import Told, followed


class Known(Record):
    """The service before the fact that is to be told."""

    seq: int = 0  # newest entry folded
    destinations: tuple[Destination, ...] = ()
    declaration: dict[str, Any] = {}
    snapshots: dict[str, Snapshot] = {}
    open_runs: dict[str, Run] = {}  # experiment -> the run that has not ended
    made_by: dict[str, Run] = {}  # release root -> the run that made it first
    releases: dict[str, Release] = {}
    champion: str | None = None
    rollouts: dict[str, str] = {}  # rollout -> release root
    signals: dict[str, str] = {}  # key of a signal at the level `act` -> id of its incident
    tickets: dict[str, str] = {}  # ticket -> id of its incident
    alerts: Alerts | None = None  # whom they go to
    told: Mapping[str, Told] = {}  # alerts that are open


def known(entries: Iterable[Entry]) -> Known:
    """From all entries of one service."""
    state = Known()
    for entry in entries:
        state = fold(state, entry)
    return state


def fold(state: Known, entry: Entry) -> Known:
    """After one more entry of the service; folding one again changes nothing."""
    if entry.seq <= state.seq:
        return state
    runs, told = open_runs.fold(state.open_runs, entry), followed(state.told, entry)
    return replace(_fold(state, entry), seq=entry.seq, open_runs=runs, told=told)


def _fold(state: Known, entry: Entry) -> Known:
    match entry.fact:
        case ServiceDeclared(declaration=declaration):
            alerts = declared_alerts(declaration)
            return replace(state, declaration=declaration, destinations=destinations(declaration), alerts=alerts)
        case SnapshotTaken(snapshot=snapshot):
            return replace(state, snapshots=state.snapshots | {snapshot.root: snapshot})
        case ReleaseRegistered(release=release):
            ended = state.open_runs.get(release.experiment)
            return replace(
                state,
                made_by=({release.root: ended} if ended else {}) | state.made_by,
                releases={release.root: release} | state.releases,
            )
        case ChampionAppointed(release=root):
            return replace(state, champion=root)
        case _:
            return _fold_later(state, entry)


def _fold_later(state: Known, entry: Entry) -> Known:
    match entry.fact:
        case RolloutOpened(rollout=rollout, release=root, drill=""):
            return replace(state, rollouts=state.rollouts | {rollout: root})
        case RolledBack(release=root, to=to) if root == state.champion:
            return replace(state, champion=to)
        case SignalRaised(signal=signal):
            key = signal_key(signal.signal, signal.feature)
            if signal.level == "warn":  # it fell from `act`, or never was there
                return replace(state, signals=without(state.signals, key))
            return replace(state, signals={key: incident_of(entry, signal)} | state.signals)
        case SignalCleared(signal=kind, feature=feature):
            return replace(state, signals=without(state.signals, signal_key(kind, feature)))
        case TicketOpened(ticket=ticket):
            return replace(state, tickets=state.tickets | {ticket: f"ticket-{ticket}"})
        case _:
            return state


def destinations(declaration: Mapping[str, Any]) -> tuple[Destination, ...]:
    """Of a declaration as it stands on the ledger; none where it was written before there were any, or not by us."""
    try:
        return msgspec.convert(declaration.get("events", ()), tuple[Destination, ...])
    except msgspec.ValidationError:
        return ()


def declared_alerts(declaration: Mapping[str, Any]) -> Alerts | None:
    """Of a declaration as it stands on the ledger; None where it has none, or was not written by us."""
    try:
        return msgspec.convert(declaration.get("alerts"), Alerts | None)
    except msgspec.ValidationError:
        return None


def signal_key(kind: str, feature: str | None) -> str:
    return f"{kind} {feature or ''}".rstrip()


def incident_of(entry: Entry, signal: Signal) -> str:
    """Name of the incident that a signal at the level `act` is."""
    return f"signal-{entry.seq}-{signal.signal}"


def without(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != key}
