"""One training server for all tests of a run, and a service folder a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.fraud import opened, write_service

from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.wiring.training.pipeline import Pipeline


@pytest.fixture(scope="session")
def trainer() -> Iterator[ForkServerTrainer]:
    server = ForkServerTrainer()
    yield server
    server.close()


@pytest.fixture
def service_file(tmp_path: Path) -> Path:
    return write_service(tmp_path / "fraud")


@pytest.fixture
def pipeline(tmp_path: Path, trainer: ForkServerTrainer) -> Iterator[Pipeline]:
    with opened(tmp_path / "home", trainer) as found:
        yield found
