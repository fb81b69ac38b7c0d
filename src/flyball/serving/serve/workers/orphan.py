"""A worker whose supervisor is gone serves on, by the table in force, until the next one has workers of its own.

Theory of operation. Nobody can ask the operating system for a listening socket that others still hold, and a second one
on the same port would lose what waits in the first when the orphans end. So the orphan waits at a socket in the home:
who comes there (`Orphans`) is handed the listener, brings its own workers up while the orphans answer, and then says
that they may leave, which they do as a worn worker does (`http.server.LEAVE`). If the heir dies before, they wait for
another. Nobody judges a candidate meanwhile, so that is not for ever: after `WAIT_S` without an heir they finish what
they have and end. The wait is a thread of plain sockets, because event loops pass no descriptors.
"""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from flyball.serving.serve.http.server import LEAVE

WAIT_S = 60.0  # for an heir
HEIR_S = 300.0  # for an heir to bring its workers up
_LEAVE = b"leave"


def wait_for_heir(folder: Path, number: int, listener: int, complain: Callable[[str], None]) -> None:
    """From now on, in a thread of its own, until this process is told to leave, or ends because nobody came.

    `folder`: of the home, where an heir looks. `listener`: descriptor of the listening socket.
    """
    complain(f"worker {number}: the supervisor is gone; it answers on by the table in force for {WAIT_S:g} s")
    threading.Thread(target=_wait, args=(folder, number, listener, complain), daemon=True, name="orphan").start()


def _wait(folder: Path, number: int, listener: int, complain: Callable[[str], None]) -> None:
    try:
        with _short(folder) as short, socket.socket(socket.AF_UNIX) as door:
            path = f"{short}/{number}"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            door.bind(path)
            door.listen(1)
            door.settimeout(WAIT_S)
            told = False
            while not told:
                heir, _ = door.accept()
                with heir:
                    told = _hand_over(heir, listener)
            os.unlink(path)
    except OSError as error:
        complain(f"worker {number}: no supervisor has come ({error}); it finishes what it has and ends")
        os.kill(os.getpid(), signal.SIGTERM)
        return
    os.kill(os.getpid(), LEAVE)


def _hand_over(heir: socket.socket, listener: int) -> bool:
    """True: its own workers answer now, and this one may leave. False: it has gone."""
    heir.settimeout(HEIR_S)
    try:
        socket.send_fds(heir, [b"listener"], [listener])
        return heir.recv(len(_LEAVE)) == _LEAVE
    except OSError:
        return False


class Orphans:
    """Workers of a supervisor that is gone, as the next one finds them. They answer until they are told to leave."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where they wait."""
        self._folder = folder
        self._wires: list[socket.socket] = []
        self._listeners: list[socket.socket] = []

    def find(self) -> None:
        """Ask all who wait now; who is there answers at once."""
        if not self._folder.is_dir():
            return
        with _short(self._folder) as short:
            for name in sorted(os.listdir(short)):
                wire = socket.socket(socket.AF_UNIX)
                wire.settimeout(HEIR_S)
                try:
                    wire.connect(f"{short}/{name}")
                    _, files, _, _ = socket.recv_fds(wire, 16, 1)
                except OSError:  # one that ended meanwhile, or long ago
                    wire.close()
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(f"{short}/{name}")
                    continue
                self._wires.append(wire)
                self._listeners += [socket.socket(fileno=file) for file in files]

    def listener(self, host: str, port: int) -> socket.socket | None:
        """Theirs, if it is this address."""
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][:2]
        return next((one for one in self._listeners if one.getsockname()[:2] == address), None)

    def leave(self) -> None:
        """Others answer now, or shall: they part from their clients and end."""
        for wire in self._wires:
            with contextlib.suppress(OSError), wire:  # it has ended by itself
                wire.sendall(_LEAVE)
        self._wires.clear()


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[str]:
    """A name for a folder that leaves room in the 108 bytes of a socket's path."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{file}"
    finally:
        os.close(file)
