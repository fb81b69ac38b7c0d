"""How well the service is, written down for those who ask: `/v1/health`, `/metrics`, `flyball status`.

It is a view, not a source: the ledger has the changes. A disk that does not take it costs the view, and is told once.
"""

import time
from collections.abc import Callable

from flyball.adapters.health_file import write_report
from flyball.app.home import Home
from flyball.control.failing import failing
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import Unavailable
from flyball.core.health import Health
from flyball.core.health_report import HealthReport
from flyball.core.surroundings import Surroundings


class HealthFile:
    """The writer's side, of one service."""

    def __init__(self, home: Home, service: str, complain: Callable[[str], None]) -> None:
        self._path, self._service, self._complain = home.health(service), service, complain
        self._written: tuple[Health, str, Surroundings, tuple[str, ...]] | None = None
        self._told = ""

    def write(self, health: Health, state: ServiceState, around: Surroundings) -> None:
        """Where it was judged anew, or measured: the same object says the same."""
        known = self._written
        since, fails = state.health.since, tuple(failing(state))
        if known is not None and known[0] is health and known[1:] == (since, around, fails):
            return
        report = HealthReport(
            service=self._service, health=health, since=since, at=time.time(), around=around, failing=fails
        )
        try:
            write_report(self._path, report)
        except Unavailable as error:
            if str(error) != self._told:
                self._complain(str(error))
            self._told = str(error)
            return
        self._written, self._told = (health, since, around, fails), ""
