"""What a gateway answers about the health of a service: the controller's word, and what it knows itself.

The state is the service's, not this host's: a gateway that goes away because the service drifts helps nobody, and one
that goes away because its champion FAILED takes the fallback chain with it, which answers. So only what this gateway
knows of itself makes a load balancer look elsewhere (503): nothing to serve by. All else stands in the body.
"""

from typing import Any

import msgspec

from flyball.core.health import Health, HealthState
from flyball.core.health_report import HealthSeen

WORST: tuple[HealthState, ...] = ("HEALTHY", "UNKNOWN", "DEGRADING", "UNHEALTHY", "FAILED")
OK, AWAY = 200, 503


def told(seen: HealthSeen, *, ready: bool, refused: str, broken: bool) -> tuple[int, dict[str, Any]]:
    """Status and body. Args: ready: it has a release loaded. refused: why it does not serve the one it should.
    broken: the champion's circuit is open."""
    health = seen.standing
    here = refused or ("" if ready else "this gateway has no release to serve yet")
    if here:
        health = _worse(health, "FAILED" if refused else "UNKNOWN", here)
    elif broken:
        health = _worse(health, "UNHEALTHY", "the champion's circuit is open here: it is asked again now and then")
    report = seen.report
    body = {
        "state": health.state,
        "why": health.why,
        "since": report.since if report is not None and health is report.health else "",
        "signs": [msgspec.to_builtins(sign) | {"key": sign.key} for sign in health.signs],
        "would_change": list(health.would_change),
        "age_s": seen.kept_s,
        "ready": ready and not refused,
    }
    return AWAY if here else OK, body


def of_all(states: list[tuple[int, HealthState]]) -> tuple[int, HealthState]:
    """Status and state of a gateway: away only where all are, else it would take the others with it.

    >>> of_all([(200, "HEALTHY"), (503, "FAILED")]), of_all([(503, "FAILED")])
    ((200, 'FAILED'), (503, 'FAILED'))
    """
    found: list[HealthState] = [each for _, each in states] or ["UNKNOWN"]
    state = max(found, key=WORST.index)
    return AWAY if states and all(status == AWAY for status, _ in states) else OK, state


def _worse(health: Health, state: HealthState, why: str) -> Health:
    """With what the gateway knows; a state that is worse already keeps its own."""
    worst = max(health.state, state, key=WORST.index)
    return msgspec.structs.replace(health, state=worst, why=f"{why}; {health.why}" if health.why else why)
