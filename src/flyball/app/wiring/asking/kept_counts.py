"""The kept counts of one release in one arm, as they were written: bucket by bucket, so that five weeks need no more
memory than five minutes; read-only."""

from collections.abc import Callable, Iterator
from pathlib import Path

from flyball.adapters.prediction_log.pane_states import STATES, Series, buckets_between, series_of
from flyball.app.home import Home
from flyball.core.arms import CHAMPION
from flyball.monitor.state.binary import StateRefused, decoded
from flyball.monitor.state.frame import Frame
from flyball.monitor.state.windows import TimedState


def kept_series(home: Home, service: str, *, release: str, arm: str = CHAMPION) -> Series | None:
    """Where its counts are, and which features they leave out; None: nothing of it was counted.

    Raises: Unavailable.
    """
    return series_of(_file(home, service), release, arm)


def kept(
    home: Home,
    service: str,
    series: Series,
    mine: Frame,
    complain: Callable[[str], None],
    *,
    since: float,
    until: float,
) -> Iterator[TimedState]:
    """Buckets of it that begin in [since, until), seconds since the epoch, by start.

    Args: mine: what it is counted on. complain: told what could not be read, and why.
    Raises: Unavailable.
    """
    for start, length, data in buckets_between(_file(home, service), series.name, since, until):
        try:
            state = decoded(data, mine)
        except StateRefused as error:
            complain(f"counts from {start:.0f} on: {error}")
        else:
            yield TimedState(start=start, end=start + length, state=state)


def _file(home: Home, service: str) -> Path:
    return home.telemetry(service) / STATES
