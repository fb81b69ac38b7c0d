"""What a verb said: its exit code and its JSON document, without a process for it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from flyball.app.cli.main import run

Said = Callable[..., tuple[int, Any]]


def saying(capfd: pytest.CaptureFixture[str], *before: str) -> Said:
    """`before`: words that come before those of each call."""

    def answer(*words: str) -> tuple[int, Any]:
        code = run([*before, *words, "--json"])
        return code, json.loads(capfd.readouterr().out)

    return answer


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    """Of any verb; a fixture to import."""
    return saying(capfd)
