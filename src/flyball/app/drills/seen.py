"""What the product itself says while a drill runs, as changes: something that is wrong began, or is over. Pure.

One form for all: facts on the ledger, processes that are gone and there again, a controller that is silent, keys that
are refused. A drill's judge asks nothing else, so that every fault is judged alike.
"""

from typing import Literal

from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ledger import Entry
from flyball.core.record import Record


class Change(Record):
    """Something began to be wrong, or is over."""

    at: float  # seconds since the epoch
    key: str  # `signal/psi/amount`, `incident/CAUSE/in-..`, `health/errors`, `rollback`, `process/worker-1`, ...
    what: Literal["begins", "ends"]
    words: str = ""


class FactReader:
    """Facts into changes; it remembers which signs of health stood, and which remedies are whose."""

    def __init__(self) -> None:
        self._signs: frozenset[str] = frozenset()
        self._incidents: dict[str, tuple[str, float]] = {}  # id -> key, and when it was opened
        self._back: dict[int, str] = {}  # epoch that a way back waits for -> key

    def take(self, entry: Entry) -> tuple[Change, ...]:
        """What this entry says; nothing where it is of something else."""
        at, fact = moment(entry.at).timestamp(), entry.fact
        match fact:
            case e.SignalRaised(signal=signal):
                key = _signal(signal.signal, signal.feature)
                return (Change(at=at, key=key, what="begins", words=signal.detail or f"{signal.value:.3g}"),)
            case e.SignalCleared(signal=kind, feature=feature):
                return (Change(at=at, key=_signal(kind, feature), what="ends"),)
            case e.IncidentOpened(incident=name, kind=kind, reason=reason, cause=cause):
                key = f"incident/{cause or kind}/{name}"
                self._incidents[name] = key, at
                return (Change(at=at, key=key, what="begins", words=reason),)
            case e.IncidentClosed(incident=name, reason=reason, recovered_s=recovered_s) if name in self._incidents:
                key, opened_at = self._incidents.pop(name)
                over_at = at if recovered_s is None else min(at, opened_at + recovered_s)  # it is closed once sure
                return (Change(at=over_at, key=key, what="ends", words=reason),)
            case e.HealthChanged(health=health):
                return self._health(at, {sign.key: sign.why for sign in health.signs})
            case e.AccessRefused(key=key, why=why):
                return (Change(at=at, key=f"access/{key}", what="begins", words=why),)
            case e.AccessCalm(key=key, why=why):
                return (Change(at=at, key=f"access/{key}", what="ends", words=why),)
            case e.RolledBack(epoch=epoch, verdict=verdict, rollout=rollout):
                self._back[epoch] = key = f"rollback/{rollout}"
                return (Change(at=at, key=key, what="begins", words=verdict.reason),)
            case e.RoutingApplied(epoch=epoch):
                over = [key for waits, key in self._back.items() if waits <= epoch]
                self._back = {waits: key for waits, key in self._back.items() if waits > epoch}
                return tuple(Change(at=at, key=key, what="ends", words="weight 0 is in force") for key in over)
            case _:
                return ()

    def _health(self, at: float, signs: dict[str, str]) -> tuple[Change, ...]:
        before, self._signs = self._signs, frozenset(signs)
        begun = (Change(at=at, key=f"health/{key}", what="begins", words=signs[key]) for key in signs.keys() - before)
        over = (Change(at=at, key=f"health/{key}", what="ends") for key in before - signs.keys())
        return (*sorted(begun, key=_key), *sorted(over, key=_key))


def _signal(kind: str, feature: str | None) -> str:
    return f"signal/{kind}/{feature}" if feature else f"signal/{kind}"


def _key(change: Change) -> str:
    return change.key
