"""A home and its ledger open in it, by a clock that the test turns: fixtures to import."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import OpenLedger, open_ledger


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").made()


@pytest.fixture
def ledger(home: Home, clock: SimulatedClock) -> Iterator[OpenLedger]:
    found = open_ledger(home, clock=clock)
    yield found
    found.close()
