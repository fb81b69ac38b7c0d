"""What is wrong with a service at this moment, worst first: signs of its health, and incidents that are open. Pure.

A cause that no sign and no incident shows any more is gone, whatever was seen before: nothing is remembered here, so a
remedy is never begun for what the remedy before it has already ended (anti-windup).
"""

from typing import Final

from msgspec.structs import replace

from flyball.control.decision import Situation
from flyball.control.state.alert_causes import OF_SUPPLY, SILENCE
from flyball.control.state.incident_state import OpenIncident
from flyball.control.state.service_state import ServiceState
from flyball.core.facts import incident as incident_facts
from flyball.core.health import Severity, Sign
from flyball.core.record import Record

RANK: Final[dict[Severity, int]] = {"warning": 0, "critical": 1, "failed": 2}
NEWEST: Final = "~"  # behind every time stamp: nobody knows since when
# which causes a training of this trigger is about
ABOUT: Final[dict[str, tuple[str, ...]]] = {"drift": ("drift",), "risk": ("quality", "trend"), "trend": ("trend",)}


class Cause(Record):
    """One trouble, by its fingerprint."""

    key: str  # `errors`, `drift/amount`, `upstream`
    severity: Severity
    why: str
    sign: Sign | None = None
    incident: str | None = None  # id, where one is open
    since: str = ""  # RFC 3339, UTC
    drill: str = ""  # id of the drill that made it; empty: it is real
    upstream: bool = False  # an incident says that the supply is broken

    @property
    def kind(self) -> str:
        """`drift` of `drift/amount`."""
        return self.key.split("/")[0]

    @property
    def of_supply(self) -> bool:
        """What the service is fed is at fault: no remedy of ours ends it."""
        return self.upstream or self.kind in OF_SUPPLY

    @property
    def figures(self) -> dict[str, float]:
        return {} if self.sign is None else {"value": self.sign.value, "limit": self.sign.limit}


def causes_of(situation: Situation) -> tuple[Cause, ...]:
    """Worst first; of two that are as bad, the one that came first."""
    state = situation.state
    seen = [sign for sign in state.health.health.signs if not _of_our_making(sign, state) and sign.key != SILENCE]
    found = {sign.key: _of_sign(sign, state) for sign in seen}
    for name, one in broken_supplies(state).items():
        severity: Severity = "warning" if one.opened.kind == "drill" else "critical"
        before = found.get(one.cause)
        told = before or Cause(key=one.cause, severity=severity, why=one.opened.reason, since=one.at, drill=one.drill)
        found[one.cause] = replace(told, incident=name, upstream=one.opened.kind != "data_quality")
    return tuple(sorted(found.values(), key=lambda cause: (-RANK[cause.severity], cause.since or NEWEST, cause.key)))


def broken_supplies(state: ServiceState) -> dict[str, OpenIncident]:
    """Open incidents of what the service is fed; of a drill too. That nobody asks it is no fault of the supply."""
    return {
        name: one
        for name, one in state.incidents.open.items()
        if one.cause != SILENCE
        and (one.opened.kind in incident_facts.OF_SUPPLY or one.cause.split("/")[0] in OF_SUPPLY)
    }


def upstream_fault(state: ServiceState) -> str | None:
    """What is wrong with what the service is fed, in words: whoever trains on it learns the fault. None: nothing is."""
    for name, one in broken_supplies(state).items():
        return f"incident {name} is open ({one.opened.reason})"
    for sign in state.health.health.signs:
        if sign.kind in OF_SUPPLY and sign.severity != "warning" and sign.key != SILENCE:
            return f"{sign.key}: {sign.why}"
    return None


def _of_sign(sign: Sign, state: ServiceState) -> Cause:
    incident = state.incidents.of_cause(sign.key)
    return Cause(
        key=sign.key,
        severity=sign.severity,
        why=sign.why,
        sign=sign,
        since=sign.since,
        drill=sign.drill or "",
        incident=incident.opened.incident if incident is not None else None,
    )


def _of_our_making(sign: Sign, state: ServiceState) -> bool:
    """What a relief of ours shows as: answers of the fallback chain, requests that are turned away."""
    kinds = {one.begun.kind for one in state.healing.standing}
    shed = "shed" in kinds and sign.kind == "availability" and sign.severity != "failed"
    return shed or ("fall_back" in kinds and sign.kind == "fallback")
