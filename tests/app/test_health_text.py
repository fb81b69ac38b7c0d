"""What `status` and `explain` say of health: the controller's word while it keeps the service, else that none does."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.control.world import NAME

from flyball.adapters.heartbeat import Beat, write_beat
from flyball.app.cli.health_text import health_lines, in_short
from flyball.app.home import Home
from flyball.app.wiring.health_seen import health_seen
from flyball.app.wiring.loop import beats
from flyball.app.wiring.loop.health_file import HealthFile
from flyball.control.state.service_state import ServiceState
from flyball.core.health import Health, Sign
from flyball.core.surroundings import Surroundings

NOW = 1_790_000_000.0  # seconds since the epoch
ILL = Health(
    state="UNHEALTHY",
    why="30 of 100 rows failed",
    signs=(
        Sign(kind="errors", severity="critical", value=0.3, limit=0.01, since="2026", why="30 of 100", clears="fewer"),
    ),
    would_change=("better: fewer",),
)


def test_it_is_written_when_judged_anew_and_read_with_its_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "time", SimpleNamespace(time=lambda: NOW))
    home = Home(tmp_path)
    said: list[str] = []
    file = HealthFile(home, NAME, said.append)
    state, around = ServiceState(service=NAME), Surroundings()
    assert health_seen(home, NAME).standing.why == "no controller has judged it yet"
    file.write(ILL, state, around)
    assert health_seen(home, NAME).standing.state == "UNKNOWN"  # nobody says that it is kept
    write_beat(home.heartbeat, Beat(owner="c", at=NOW, kept={NAME: NOW}))
    assert health_seen(home, NAME).standing == ILL
    written = home.health(NAME).stat().st_mtime_ns
    file.write(ILL, state, around)
    assert home.health(NAME).stat().st_mtime_ns == written
    write_beat(home.heartbeat, Beat(owner="c", at=NOW, kept={NAME: NOW - 60}))
    assert "no controller has kept it for 60 s; it was UNHEALTHY" in health_seen(home, NAME).standing.why
    assert said == []


def test_a_file_of_another_version_is_no_health(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.health(NAME).parent.mkdir()
    home.health(NAME).write_text("{")
    seen = health_seen(home, NAME)
    assert (seen.standing.state, "cannot be read" in seen.standing.why) == ("UNKNOWN", True)


def test_a_disk_that_does_not_take_it_is_told_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    said: list[str] = []
    home.health(NAME).parent.write_text("in the way")
    file = HealthFile(home, NAME, said.append)
    for _ in range(2):
        file.write(ILL, ServiceState(service=NAME), Surroundings())
    assert len(said) == 1


def test_words_say_state_signs_and_what_would_change_them() -> None:
    assert in_short(Health(state="HEALTHY", why="no sign"), "") == "HEALTHY"
    assert in_short(ILL, "2026-11-27T05:00:00.000000Z").splitlines() == [
        "UNHEALTHY since 2026-11-27T05:00:00Z",
        "30 of 100 rows failed",
    ]
    assert health_lines(ILL, "") == [
        "  health  UNHEALTHY: 30 of 100 rows failed",
        "  sign  errors (critical) since 2026: 30 of 100",
        "  better  fewer",
    ]
