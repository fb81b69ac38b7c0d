"""Digests that the controller writes by itself when their period is over: a thread beside the rounds.

What is due is asked of the state that the loop holds anyway, so a look costs nothing while nothing is. A kill at any
line leaves a digest due, or written and on the ledger: the file comes first, and the fact has its period for its id.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from flyball.app.home import Home
from flyball.app.wiring.reviewing.reading import clock, read_service
from flyball.app.wiring.reviewing.writing_up import keep, place_of, write_up
from flyball.control.state.service_state import ServiceState
from flyball.core.clock import timestamp
from flyball.core.ledger import Ledger
from flyball.core.service import Service
from flyball.decide.overdue import due_digests

EVERY_S = 30.0

Held = Callable[[], tuple[ServiceState, Service] | None]
"""A service as its loop holds it now; None: it is not built."""


def keep_digests(kept: Sequence[Held], home: Home, ledger: Ledger, stopping: threading.Event) -> None:
    """Until told to stop. What fails is told once, and tried again at the next look."""
    told: dict[int, str] = {}
    while not stopping.wait(EVERY_S):
        for number, held in enumerate(kept):
            try:
                if not stopping.is_set():
                    write_due(held, home, ledger, clock())
                told.pop(number, None)
            except Exception as error:  # a fault of ours must not end the controller's other threads
                if told.get(number) != str(error):
                    sys.stderr.write(f"controller: a digest cannot be written now: {error}\n")
                told[number] = str(error)


def write_due(held: Held, home: Home, ledger: Ledger, now: datetime) -> int:
    """Write what is due of one service; how many were written."""
    found = held()
    if found is None or not found[1].review.digests:
        return 0
    state, service = found
    due = due_digests(
        service.review.digests, written=state.routine.digests, began_at=state.routine.began_at, now=timestamp(now)
    )
    if not due:
        return 0
    one = read_service(ledger, state.service)
    if one is None:
        return 0
    for period, span in due:
        digest = write_up(home, one, period, span, now)
        keep(ledger, digest, place_of(home, state.service, period, digest.name))
    return len(due)
