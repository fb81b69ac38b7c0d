"""The error budgets of a service, for the gateway's metrics: read again only where its controller has written them."""

from collections.abc import Callable
from pathlib import Path

from flyball.app.home import Home
from flyball.app.wiring.loop.budgets_file import NAME, budgets_state
from flyball.core.budget_standing import BudgetsState
from flyball.core.errors import Unavailable
from flyball.serving.serve.complaints import Complaints


class NewestBudgets:
    """Of one home. Where no controller has ever counted any there are none."""

    def __init__(self, home: Home, complain: Callable[[str], None]) -> None:
        self._home, self._complain = home, Complaints(complain)
        self._known: dict[str, tuple[tuple[int, int], BudgetsState | None]] = {}  # by service, with the file's state

    def __call__(self, service: str) -> BudgetsState | None:
        state, known = _state(self._home.telemetry(service) / NAME), self._known.get(service)
        if known is not None and known[0] == state:
            return known[1]
        try:
            found = budgets_state(self._home, service)
        except Unavailable as error:
            self._complain(f"{service}: metrics tell no error budgets: {error}")
            found = None
        self._known[service] = state, found
        return found


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
