"""`/v1/health` on a real gateway: its status, what strangers learn, and its metrics."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.serving.door import ask, opened

from flyball.core.health import Health, HealthState
from flyball.core.health_report import HealthReport, HealthSeen
from flyball.core.surroundings import Probed, Surroundings


def word(state: HealthState) -> HealthSeen:
    probe = Probed(endpoint="predict", at=1.0, ok=True, latency_ms=12.0)
    report = HealthReport(
        service="shop",
        health=Health(state=state, why="as measured"),
        around=Surroundings(probes=(probe,)),
        failing=("healing",),
    )
    return HealthSeen(report=report, kept_s=0.2)


def asked(folder: Path, state: HealthState | None, *paths: str, sick: bool = False) -> list[tuple[int, Any]]:
    async def all_of_them() -> list[tuple[int, Any]]:
        async with opened(folder, sick=sick) as door:
            if state is not None:
                door.health.healths = lambda _: word(state)
            found = []
            for path in paths:
                status, _, body = await ask(door, "GET", path, b"", {})
                found.append((status, body.decode() if path == "/metrics" else json.loads(body)))
            return found

    return asyncio.run(all_of_them())


def test_one_and_all_say_the_same(tmp_path: Path) -> None:
    (one, all_, lost) = asked(tmp_path, "DEGRADING", "/v1/health/shop", "/v1/health", "/v1/health/bank")
    assert one == (200, all_[1]["services"]["shop"] | {"service": "shop"})
    assert all_[0] == 200
    assert all_[1]["state"] == one[1]["state"] == "DEGRADING"
    assert lost == (404, {"error": "no service bank"})


def test_a_failed_service_says_so_and_sends_no_load_balancer_away(tmp_path: Path) -> None:
    found = asked(tmp_path, "FAILED", "/v1/health/shop", "/v1/health")
    assert [(status, body["state"]) for status, body in found] == [(200, "FAILED"), (200, "FAILED")]


def test_without_a_controller_it_is_unknown_and_answers(tmp_path: Path) -> None:
    ((status, body),) = asked(tmp_path, None, "/v1/health/shop")
    assert (status, body["state"], body["age_s"]) == (200, "UNKNOWN", None)
    assert body["why"] == "no controller has judged it yet"


def test_metrics_tell_state_and_probes_and_nothing_of_what_nobody_judged(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ((_, told),) = asked(tmp_path / "a", "UNHEALTHY", "/metrics")
    assert 'flyball_health_state{service="shop"} 2.0' in told
    assert 'flyball_probe_success{endpoint="predict",service="shop"} 1.0' in told
    assert 'flyball_planner_failed{planner="healing",service="shop"} 1.0' in told
    ((_, untold),) = asked(tmp_path / "b", None, "/metrics")
    assert "flyball_health_state" not in untold
