"""A control API in a process of its own, as `flyball api` starts it, and requests to it."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.control.world import NAME, first_champion, service

from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.core import events as e

ENDS_S = 60


def declared(people: dict[str, list[str]]) -> list[e.AnyFact]:
    """A service that serves its first release, and who may do what with it."""
    first, *others = first_champion()
    assert isinstance(first, e.ServiceDeclared)
    policy = replace(service().retrain, triggers=("drift", "webhook"))
    whole = msgspec.to_builtins(replace(service(), retrain=policy)) | {
        "metadata": {"name": NAME, "owner": "risk", "people": people}
    }
    return [replace(first, declaration=whole), *others]


def put(home: Home, *facts: e.AnyFact) -> None:
    with ledger_of(home) as ledger:
        ledger.append(facts)


@contextmanager
def answering(home: Path, *options: str) -> Iterator[str]:
    """The URL of an API; afterwards it was told to end, and did at once and cleanly."""
    command = [sys.executable, "-m", "flyball.app.cli", "api", "--home", str(home), "--port", "0", "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "it ended before it answered"
        yield str(json.loads(line)["url"])
    finally:
        process.terminate()
        assert process.wait(ENDS_S) == 0


def ask(
    url: str, body: Any = None, *, key: str | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any, dict[str, str]]:
    """Status, document and headers. Body: bytes as they are, else as JSON; None: a GET."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=dict(headers or {}))
    if key is not None:
        request.add_header("authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=ENDS_S) as answer:
            return answer.status, json.loads(answer.read()), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), dict(error.headers)
