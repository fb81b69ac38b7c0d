"""What a gateway says of health: the controller's word while somebody keeps it, and what the gateway knows itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.health import Health, HealthState, Sign
from flyball.core.health_report import SILENT_S, HealthReport, HealthSeen
from flyball.serving.health import WORST, told

STATES = st.sampled_from(WORST)


def seen(state: HealthState = "HEALTHY", kept_s: float | None = 0.3, **other: str) -> HealthSeen:
    health = Health(state=state, why="as measured")
    return HealthSeen(report=HealthReport(service="shop", health=health, since="2026"), kept_s=kept_s, **other)


@given(STATES)
def test_no_state_of_the_service_takes_a_gateway_away_that_can_answer(state: HealthState) -> None:
    """FAILED too: 5 % errors of the champion would be an outage of everything, the fallback chain included."""
    status, body = told(seen(state), ready=True, refused="", broken=False)
    assert (status, body["state"]) == (200, state)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (HealthSeen(report=None, kept_s=None), "no controller has judged it yet"),
        (seen(kept_s=None), "no controller has judged it yet"),
        (seen(kept_s=SILENT_S + 5), "no controller has kept it for 20 s; it was HEALTHY"),
        (
            HealthSeen(report=None, kept_s=1.0, unreadable="shop.health.json cannot be read"),
            "shop.health.json cannot be read",
        ),
    ],
)
def test_what_nobody_keeps_is_unknown_and_says_so(found: HealthSeen, why: str) -> None:
    status, body = told(found, ready=True, refused="", broken=False)
    assert (status, body["state"], body["why"]) == (200, "UNKNOWN", why)


@given(STATES, st.booleans(), st.sampled_from(["", "it cannot be loaded"]), st.booleans())
def test_what_the_gateway_knows_never_makes_it_better(
    state: HealthState, ready: bool, refused: str, broken: bool
) -> None:
    status, body = told(seen(state), ready=ready, refused=refused, broken=broken)
    assert WORST.index(body["state"]) >= WORST.index(state)
    if refused or not ready:
        assert status == 503
        assert body["state"] != "HEALTHY"
    if refused:
        assert body["state"] == "FAILED"


def test_an_open_circuit_is_told_before_the_controller_has_seen_anything() -> None:
    status, body = told(seen(), ready=True, refused="", broken=True)
    assert (status, body["state"]) == (200, "UNHEALTHY")
    assert "circuit is open" in body["why"]


def test_signs_have_their_keys() -> None:
    sign = Sign(kind="drift", severity="warning", value=0.4, limit=0.25, since="2026", why="w", clears="c", feature="a")
    health = Health(state="DEGRADING", why="w", signs=(sign,), would_change=("better: c",))
    found = HealthSeen(report=HealthReport(service="shop", health=health), kept_s=0.1)
    _, body = told(found, ready=True, refused="", broken=False)
    assert body["signs"][0]["key"] == "drift/a"
    assert body["would_change"] == ["better: c"]
