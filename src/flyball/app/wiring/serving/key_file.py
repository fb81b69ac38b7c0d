"""The key file on disk: read, and written whole under a lock, so that two who make keys at once lose neither."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.core.errors import BadInput, Fault
from flyball.serving.access.api_keys import ID_BYTES, SALT_BYTES, SECRET_BYTES, KeyEntry, KeyFile, made, read
from flyball.serving.serve.workers.spool import write_whole

DAY_S = 86_400.0


def add(
    path: Path, scopes: Sequence[str], *, days: float | None, rate_rps: float | None, note: str
) -> tuple[str, KeyEntry]:
    """Make a key and add it; the file is made where there is none. Raises: BadInput."""
    now = SystemClock().now().timestamp()
    expires = None if days is None else now + days * DAY_S
    random = token_bytes(ID_BYTES + SECRET_BYTES + SALT_BYTES)
    text, entry = made(random, scopes, now=now, expires=expires, rate_rps=rate_rps, note=note)
    _change(path, lambda keys: (*keys, entry))
    return text, entry


def remove(path: Path, name: str) -> bool:
    """Whether there was such a key. Raises: BadInput."""
    before, after = _change(path, lambda keys: tuple(key for key in keys if key.id != name))
    return len(before) != len(after)


def known(path: Path) -> tuple[tuple[KeyEntry, ...], float]:
    """The keys, and now, seconds since the epoch. Raises: BadInput."""
    return _read(path).keys, SystemClock().now().timestamp()


def _change(
    path: Path, change: Callable[[tuple[KeyEntry, ...]], tuple[KeyEntry, ...]]
) -> tuple[tuple[KeyEntry, ...], tuple[KeyEntry, ...]]:
    try:
        with _alone(path):
            before = _read(path).keys if path.exists() else ()
            after = change(before)
            # as JSON that a person can read; valid because it is written from records
            data = msgspec.json.format(msgspec.json.encode(KeyFile(keys=after)), indent=1) + b"\n"
            read(data, str(path))
            if after != before:
                write_whole(path, data)
    except OSError as error:
        raise _unusable(path, error) from error
    return before, after


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    file = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _read(path: Path) -> KeyFile:
    try:
        return read(path.read_bytes(), str(path))
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> BadInput:
    fault = Fault(where=str(path), path="(file)", expected="a key file", found=str(error.strerror))
    return BadInput(f"{path} cannot be used.", (fault,))
