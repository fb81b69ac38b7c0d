"""Two processes that train one experiment in one home."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.fraud import MODEL, write_service

from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.core import events as e

MAIN = "import sys; from flyball.app.cli.main import run; sys.exit(run(sys.argv[1:]))"
TRAIN = [sys.executable, "-c", MAIN, "train", "--json"]


def started(folder: Path, home: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"FLYBALL_HOME": str(home)}
    return subprocess.Popen([*TRAIN, str(folder)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def waiting(tmp_path: Path) -> tuple[socket.socket, Path]:
    """A service whose fit asks a socket whether it may go on."""
    server = socket.socket(socket.AF_UNIX)  # a name and no file: a training can write no file of ours
    server.bind(f"\0{tmp_path.name}-{os.getpid()}")
    server.listen()
    server.settimeout(120)
    asks = MODEL.replace(
        "    return HistGradient",
        f"    import socket\n    asked = socket.socket(socket.AF_UNIX)\n    try:\n"
        f"        asked.connect({server.getsockname()!r})\n        asked.recv(1)\n"
        "    except OSError:\n        pass\n    return HistGradient",
    )
    write_service(tmp_path / "fraud", model=asks)
    return server, tmp_path / "fraud"


def until_it_waits_for_a_lock(process: subprocess.Popen[bytes]) -> None:
    """The kernel's table of locks marks who waits with an arrow."""
    deadline = time.monotonic() + 60
    while not re.search(rf"-> FLOCK .* {process.pid} ", Path("/proc/locks").read_text()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def facts(home: Path) -> list[Any]:
    ledger = open_ledger(Home(home))
    found = [entry.fact for entry in ledger.read()]
    ledger.close()
    return found


def test_the_second_waits_and_finds_what_the_first_has_registered(tmp_path: Path) -> None:
    (server, folder), home = waiting(tmp_path), tmp_path / "home"
    first = started(folder, home)
    asked, _ = server.accept()  # the first is in its fit
    second = started(folder, home)
    assert second.stderr is not None
    assert first.poll() is None
    server.settimeout(5)  # the second does not come to a fit of its own
    came = []
    try:
        came.append(server.accept())
    except TimeoutError:
        asked.send(b"x")
        server.close()
    one, other = (json.loads(each.communicate(timeout=240)[0]) for each in (first, second))
    assert came == []
    assert (one["release"], one["cached"]) == (other["release"], False)
    assert other["cached"] is True
    assert [fact.outcome for fact in facts(home) if isinstance(fact, e.RunFinished)] == ["trained"]
    assert list((home / "locks").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("waits", [True, False])
def test_where_the_first_is_killed_the_second_trains_and_says_how_the_first_ended(tmp_path: Path, waits: bool) -> None:
    (server, folder), home = waiting(tmp_path), tmp_path / "home"
    first = started(folder, home)
    held, _ = server.accept()  # the first is in its fit, and stays there
    second = started(folder, home)
    if waits:
        until_it_waits_for_a_lock(second)
    first.kill()
    first.communicate(timeout=60)
    asked, _ = server.accept()
    asked.send(b"x")
    for each in (held, asked, server):
        each.close()
    other = json.loads(second.communicate(timeout=240)[0])
    assert other["cached"] is False
    assert [fact.outcome for fact in facts(home) if isinstance(fact, e.RunFinished)] == ["broken_off", "trained"]
