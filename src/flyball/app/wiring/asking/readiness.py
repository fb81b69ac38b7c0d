"""Readiness and maturity of the services of a home, now."""

from flyball.app.home import Home
from flyball.app.wiring.asking.looking import looked
from flyball.app.wiring.reviewing.reading import clock, reviewed
from flyball.control.review.maturity import Maturity, maturity
from flyball.control.review.readiness import Readiness, ready
from flyball.core.clock import timestamp


def checked(home: Home, service: str) -> Readiness:
    """The checklist of one service, now. Raises: NotFound."""
    (one,) = reviewed(home, service)
    at = clock()
    return ready(one.declared, one.entries, looked(home, one.declared, one.state(), at.timestamp()), timestamp(at))


def matured(home: Home, service: str | None) -> list[Maturity]:
    """Of one service, or of each. Raises: NotFound."""
    at = clock()
    return [
        maturity(one.declared, one.entries, looked(home, one.declared, one.state(), at.timestamp()), timestamp(at))
        for one in reviewed(home, service)
    ]
