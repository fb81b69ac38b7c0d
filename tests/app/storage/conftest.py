"""A training server and an S3 server for all tests of this folder."""

from collections.abc import Iterator

import pytest
from tests import s3

from flyball.adapters.training.trainer import ForkServerTrainer


@pytest.fixture(scope="session")
def trainer() -> Iterator[ForkServerTrainer]:
    server = ForkServerTrainer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    with s3.server() as address:
        yield address


@pytest.fixture
def s3_address(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store in a bucket of its own."""
    for key, value in s3.KEYS.items():
        monkeypatch.setenv(key, value)
    return f"s3://{s3.bucket(s3_server)}/flyball?endpoint={s3_server}&region=eu-north-1"
