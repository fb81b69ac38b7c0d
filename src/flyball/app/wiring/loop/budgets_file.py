"""Where the error budgets of a service stand, written beside its log for those who ask: `flyball slo status`.

It is a view, not a source: feeding all segments again gives the same. So it is written whole, now and then, and its
writer never reads it back. A crash leaves the one before, or the new one.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from flyball.app.home import Home
from flyball.core.budget_standing import BudgetsState
from flyball.core.errors import Unavailable

if TYPE_CHECKING:
    from flyball.control.reconcile.sensing import TelemetrySensor

NAME = "budgets.json"  # in the service's telemetry folder
EVERY_S = 5.0


class BudgetsFile:
    """The writer's side, of one controller."""

    def __init__(
        self, home: Home, service: str, sensor: "TelemetrySensor", now: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._sensor, self._now = home.telemetry(service) / NAME, sensor, now
        self._written: tuple[float, float] | None = None  # as of when, and when

    def write(self) -> None:
        """Where a pane came or a minute is over, and not too often. Raises: Unavailable: the disk does not take it."""
        as_of, now = self._sensor.budgets.as_of, self._now()
        if as_of is None:
            return
        if self._written is not None and (self._written[0] == as_of or now - self._written[1] < EVERY_S):
            return
        draft = self._path.with_suffix(".draft")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.write_bytes(msgspec.json.encode(self._sensor.budgets.state()))
            draft.replace(self._path)
        except OSError as error:
            raise Unavailable(f"{self._path}: error budgets cannot be written: {error}") from error
        self._written = as_of, now


def budgets_state(home: Home, service: str) -> BudgetsState | None:
    """As it was written last; None: no controller has. Raises: Unavailable: another version wrote it."""
    path = home.telemetry(service) / NAME
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=BudgetsState)
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"{path}: error budgets cannot be read: {error}", hint="flyball up writes it anew") from error
