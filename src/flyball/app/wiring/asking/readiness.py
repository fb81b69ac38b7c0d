"""Readiness and maturity of the services of a home, now."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from flyball.app.home import Home
from flyball.app.wiring.asking.looking import looked
from flyball.app.wiring.reviewing.reading import Reviewed, clock, reviewed
from flyball.control.review.maturity import Maturity, maturity
from flyball.control.review.readiness import Checked, Looked, Readiness, ready
from flyball.core.clock import timestamp

LookThrough = Callable[[str], Checked]
"""Whether the runbooks of a service would run: only a command line knows its own words."""


def checked(home: Home, service: str, runbooks: LookThrough) -> Readiness:
    """The checklist of one service, now. Raises: NotFound."""
    (one,), at = reviewed(home, service), clock()
    return ready(one.declared, one.entries, _looked(home, one, at, runbooks), timestamp(at))


def matured(home: Home, service: str | None, runbooks: LookThrough) -> list[Maturity]:
    """Of one service, or of each. Raises: NotFound."""
    at = clock()
    return [
        maturity(one.declared, one.entries, _looked(home, one, at, runbooks), timestamp(at))
        for one in reviewed(home, service)
    ]


def _looked(home: Home, one: Reviewed, at: datetime, runbooks: LookThrough) -> Looked:
    found = looked(home, one.declared, one.state(), at.timestamp())
    return replace(found, runbooks=runbooks(one.service))
