"""Checkpoints of controllers: a file a service, or memory for the simulator.

The file is written beside its name and then renamed, so there is always a whole one. It begins with an authentication
code by a secret of the home, because what it holds is unpickled: a file that somebody else wrote, or that is damaged,
is no checkpoint. It is not synced: after a power cut an older one, or none, costs time and nothing else.
"""

import hashlib
import hmac
import os
from pathlib import Path

from flyball.core.errors import Unavailable

_CODE = hashlib.sha256
_BYTES = _CODE().digest_size


class FileCheckpoints:
    """`core.ports.Checkpoints` in one file."""

    def __init__(self, file: Path, secret: bytes) -> None:
        """`secret`: of the home; whoever knows it may have code run by the controller."""
        self._file, self._secret = file, secret

    def load(self) -> bytes | None:
        try:
            whole = self._file.read_bytes()
        except OSError:
            return None
        data = whole[_BYTES:]
        return data if hmac.compare_digest(whole[:_BYTES], self._code(data)) else None

    def save(self, data: bytes) -> None:
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                out.write(self._code(data) + data)
            draft.replace(self._file)
        except OSError as error:
            raise Unavailable(f"{self._file}: {error}") from error

    def _code(self, data: bytes) -> bytes:
        return hmac.new(self._secret, data, _CODE).digest()


class MemoryCheckpoints:
    """`core.ports.Checkpoints` that outlive a simulated process."""

    def __init__(self) -> None:
        self._data: bytes | None = None

    def load(self) -> bytes | None:
        return self._data

    def save(self, data: bytes) -> None:
        self._data = data
