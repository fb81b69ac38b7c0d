"""The controller's door to a gateway on the same machine, and the spool of facts that wait there."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec

from flyball.core import errors
from flyball.core.control import Apply, Asked, Done, Observe, Recycle, Refusal, Request
from flyball.core.errors import FlyballError, NotFound, StaleEpoch, Unavailable, Untrusted
from flyball.core.facts.fallback import FallbackExercised
from flyball.core.routing import Observed, Routing, Stopped

ANSWER_S = 120.0  # an order loads releases before it is obeyed
SEEN_S = 5.0  # a gateway that hangs must not keep its controller from seeing that it does
_REFUSALS: dict[str, type[FlyballError]] = {
    kind.__name__: kind for kind in (StaleEpoch, Untrusted, NotFound, Unavailable, errors.Refused)
}


class SocketGateways:
    """`core.ports.Gateways` over the socket of one home."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def apply(self, key: str, routing: Routing) -> None:
        """Idempotent on `key`. Raises: StaleEpoch, Untrusted, NotFound, Unavailable."""
        self._ask(Apply(key=key, routing=routing), ANSWER_S)

    def observe(self, service: str) -> Observed:
        """Raises: NotFound (the gateway does not serve it), Unavailable."""
        observed = self._ask(Observe(service=service), SEEN_S).observed
        if observed is None:
            raise Unavailable("the gateway answered without an observation")
        return observed

    def recycle(self, key: str, service: str, epoch: int) -> None:
        """Idempotent on `key`. Raises: StaleEpoch, NotFound, Refused (one process answers), Unavailable."""
        self._ask(Recycle(key=key, service=service, epoch=epoch), ANSWER_S)

    def _ask(self, request: Request, seconds: float) -> Done:
        try:
            line = _exchange(self._path, msgspec.json.encode(request) + b"\n", seconds)
            answer: Asked = msgspec.json.decode(line, type=Asked)
        except (OSError, msgspec.DecodeError) as error:
            raise Unavailable(f"no gateway answers at {self._path.name}: {error}") from error
        if isinstance(answer, Refusal):
            raise _REFUSALS.get(answer.kind, Unavailable)(answer.message)
        return answer


def exercised(spool: Path) -> Iterator[tuple[str, FallbackExercised]]:
    """Findings of exercises that wait: (event id, fact)."""
    for path in sorted(spool.glob("exercised-*.json")):
        yield path.stem, msgspec.json.decode(path.read_bytes(), type=FallbackExercised)


def waiting(spool: Path) -> Iterator[tuple[str, Stopped]]:
    """Facts that wait, oldest first: (event id, fact). Append it under that id, then `done`: so it happens once."""
    if spool.is_dir():
        for path in sorted(spool.glob("stopped-*.json"), key=lambda path: path.stat().st_mtime_ns):
            yield path.stem, msgspec.json.decode(path.read_bytes(), type=Stopped)


def done(spool: Path, event_id: str) -> None:
    """The ledger has it."""
    (spool / f"{event_id}.json").unlink(missing_ok=True)


def _exchange(path: Path, line: bytes, seconds: float) -> bytes:
    """One line there, one line back."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(seconds)
            # by way of the open folder: a socket's own path may have no more than 108 bytes
            wire.connect(f"/proc/self/fd/{folder}/{path.name}")
            wire.sendall(line)
            answer = bytearray()
            while not answer.endswith(b"\n"):
                part = wire.recv(65536)
                if not part:
                    raise ConnectionError("the connection ended without an answer")
                answer += part
            return bytes(answer)
    finally:
        os.close(folder)
