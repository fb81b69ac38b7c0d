"""The kept counts of a home's arms, read as windows; read-only."""

from collections.abc import Iterator, Mapping

from flyball.adapters.clock import SystemClock
from flyball.app.home import Home
from flyball.app.monitor.kept_windows import WEEKS, ArmWindows, arm_windows
from flyball.app.wiring.asking.declarations import declaration
from flyball.app.wiring.asking.kept_counts import kept, kept_series
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.control.state.service_state import ServiceState
from flyball.core.arms import CANDIDATE, CHAMPION
from flyball.core.errors import FlyballError
from flyball.core.ledger import Ledger
from flyball.core.service import Psi
from flyball.monitor.state.frame import frame
from flyball.monitor.state.windows import HOUR, MINUTES_5, WEEK


def kept_windows(
    home: Home, ledger: Ledger, states: Mapping[str, ServiceState], *, at: float | None = None
) -> dict[str, tuple[ArmWindows, ...]]:
    """By service, the champion first. What cannot be read is a note of its arm, and keeps nobody from the rest.

    Args: at: now, seconds since the epoch; None: by the clock.
    """
    now = SystemClock().now().timestamp() if at is None else at
    return {
        name: tuple(_arm(home, ledger, name, arm, release, now) for arm, release in _arms(state))
        for name, state in states.items()
    }


def _arms(state: ServiceState) -> Iterator[tuple[str, str]]:
    """That answer now, with their releases."""
    if state.champion is not None:
        yield CHAMPION, state.champion
    if state.rollout is not None:
        yield CANDIDATE, state.rollout.release
    if state.ab is not None:
        yield from ((arm.name, arm.release) for arm in state.ab.arms)


def _arm(home: Home, ledger: Ledger, service: str, arm: str, release: str, at: float) -> ArmWindows:
    try:
        return _read(home, service, arm, release, at, declaration(ledger, service).monitor.psi)
    except FlyballError as error:
        return ArmWindows(arm=arm, release=release, notes=(str(error),))


def _read(home: Home, service: str, arm: str, release: str, at: float, limits: Psi) -> ArmWindows:
    series = kept_series(home, service, release=release, arm=arm)
    if series is None:
        return ArmWindows(arm=arm, release=release, notes=("nothing of it was counted yet",))
    mine = frame(promises(ReleaseStore(home))(release).baseline, series.without)
    hour = at // HOUR * HOUR - HOUR
    spans = [(hour - week * WEEK, hour - week * WEEK + HOUR) for week in range(WEEKS, 0, -1)]
    newest = (at - WEEK) // MINUTES_5 * MINUTES_5
    told: list[str] = []
    panes = (
        pane
        for since, until in [*((since, min(until, newest)) for since, until in spans), (newest, at)]
        for pane in kept(home, service, series, mine, told.append, since=since, until=until)
    )
    read = arm_windows(arm, release, panes, mine, at=at, limits=limits)
    return ArmWindows(arm=arm, release=release, windows=read.windows, notes=tuple(told))
