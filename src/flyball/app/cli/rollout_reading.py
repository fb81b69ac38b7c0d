"""What the verbs of `flyball rollout` read: the home's ledger, and a service on it."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from flyball.app.home import find_home
from flyball.core.errors import NotFound

if TYPE_CHECKING:
    from flyball.app.rollout_standing import RolloutStanding
    from flyball.control.state.service_state import ServiceState
    from flyball.core.ledger import Ledger
    from flyball.core.service import Service

EVERY_S = 1.0  # between two looks at the ledger


@contextmanager
def ledger_in(home: str | None) -> Iterator["Ledger"]:
    """Raises: NotFound: there is none."""
    from flyball.app.wiring.ledger import open_ledger

    place = find_home(home)
    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    with closing(open_ledger(place)) as ledger:
        yield ledger


def declared_state(ledger: "Ledger", subject: str) -> tuple["ServiceState", "Service"]:
    """Raises: NotFound: no service, or nothing open, is called so."""
    from flyball.app.subjects import Reading
    from flyball.app.wiring.asking.declarations import declaration

    state, _ = Reading(ledger).find(subject)
    return state, declaration(ledger, state.service)


def followed(ledger: "Ledger", service: str) -> Iterator["RolloutStanding"]:
    """Where the rollout stands, whenever that is another; ends when none runs."""
    from flyball.app.rollout_standing import rollout_standing

    before: RolloutStanding | None = None
    while True:
        state, declared = declared_state(ledger, service)
        standing = rollout_standing(state, declared)
        if standing != before:
            yield standing
            before = standing
        if state.rollout is None:
            return
        time.sleep(EVERY_S)
