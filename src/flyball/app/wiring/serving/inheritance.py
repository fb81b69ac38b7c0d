"""What a gateway finds of the one before, whose supervisor died: workers that answer, and the socket they hold."""

import fcntl
import os
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.core.errors import Unavailable
from flyball.serving.serve.http.server import bound
from flyball.serving.serve.workers.orphan import Orphans

LOOKS, LOOK_S = 100, 0.05  # for workers that have not noticed yet that they are orphans


def orphanage(home: Home) -> Path:
    """Where workers without a supervisor wait."""
    return home.root / "run" / "orphans"


def busy(home: Home, services: Sequence[Declared]) -> set[int]:
    """Numbers of workers that live, whoever started them."""
    found: set[int] = set()
    for declared in services:
        for path in home.gateway(declared.service.metadata.name).glob("worker-*.lock"):
            file = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                found.add(int(path.stem.removeprefix("worker-")))
            finally:
                os.close(file)
    return found


def inherited(home: Home, services: Sequence[Declared], host: str, port: int) -> tuple[socket.socket, Orphans]:
    """The listening socket for an address: that of orphans where they have it, else a new one; and the orphans.

    Raises: Unavailable: somebody else listens there.
    """
    orphans, pause = Orphans(orphanage(home)), threading.Event()
    for look in range(LOOKS):
        orphans.find()
        listener = orphans.listener(host, port)
        if listener is not None:
            return listener, orphans
        try:
            return bound(host, port), orphans
        except Unavailable:
            if look + 1 == LOOKS or not busy(home, services):
                raise
        pause.wait(LOOK_S)
    raise AssertionError("the last look returns or raises")
