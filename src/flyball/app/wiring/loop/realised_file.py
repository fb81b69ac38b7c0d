"""What labels say of a service's newest windows, written beside its log for those who ask: `flyball status`.

It is a view, not a source: feeding all segments to a monitor again gives the same. So it is written whole, now and
then, and its writer never reads it back.
"""

import time
from collections.abc import Callable

import msgspec

from flyball.app.home import Home
from flyball.core.errors import Unavailable
from flyball.core.realised import RealisedState
from flyball.monitor.watch import Watcher

NAME = "realised.json"  # in the service's telemetry folder
WINDOWS = 50  # the newest ones
EVERY_S = 5.0


class RealisedFile:
    """The writer's side, of one controller."""

    def __init__(self, home: Home, service: str, watcher: Watcher, now: Callable[[], float] = time.monotonic) -> None:
        self._path, self._watcher, self._now = home.telemetry(service) / NAME, watcher, now
        self._written: tuple[int, float] | None = None  # version, and when

    def write(self) -> None:
        """Where something has changed, and not too often. Raises: Unavailable: the disk does not take it."""
        version, now = self._watcher.version, self._now()
        if self._written is not None and (self._written[0] == version or now - self._written[1] < EVERY_S):
            return
        draft = self._path.with_suffix(".draft")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.write_bytes(msgspec.json.encode(self._watcher.realised_state(WINDOWS)))
            draft.replace(self._path)
        except OSError as error:
            raise Unavailable(f"{self._path}: realised figures cannot be written: {error}") from error
        self._written = version, now


def realised_state(home: Home, service: str) -> RealisedState | None:
    """As it was written last; None: no controller has. Raises: Unavailable: another version wrote it."""
    path = home.telemetry(service) / NAME
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=RealisedState)
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(
            f"{path}: realised figures cannot be read: {error}", hint="flyball up writes it anew"
        ) from error
