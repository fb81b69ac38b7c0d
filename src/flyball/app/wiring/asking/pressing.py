"""How hard a service presses for a retraining at this moment, from its ledger and the windows that are written down."""

import msgspec

from flyball.app.home import Home
from flyball.app.wiring.asking.declarations import declaration
from flyball.app.wiring.asking.windows import between
from flyball.control.pressing import pressing
from flyball.control.reconcile.windows import KEPT
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import NotFound
from flyball.core.ledger import Ledger
from flyball.core.pressure import Pressure


def pressing_now(home: Home, ledger: Ledger, state: ServiceState) -> tuple[Pressure, ...]:
    """As the loop has it: of the windows that it looks back at. Empty: the declaration cannot be read.

    Raises: Unavailable: the windows cannot.
    """
    try:
        service = declaration(ledger, state.service)
    except (NotFound, msgspec.ValidationError):  # an earlier version declared it
        return ()
    seen = [each.report for each in between(home, state.service, last=KEPT)]
    return pressing([report for report in seen if report.release == state.champion], service, state)
