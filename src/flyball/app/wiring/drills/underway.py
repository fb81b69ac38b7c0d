"""A drill stands on the ledger from its beginning to its end, whatever ends it.

Else all would be judged as if one ran until its time is up, and no other could begin.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flyball.core import events as e
from flyball.core.errors import FlyballError
from flyball.core.ids import ServiceName
from flyball.core.ledger import Ledger


@contextmanager
def underway(ledger: Ledger, begun: e.DrillBegun) -> Iterator[None]:
    """Tell that it begins; whoever is inside tells its outcome as the last thing. Where an exception comes before
    (Ctrl-C and SIGTERM too) it is aborted. Of one that is killed its `until` is the end."""
    ledger.append([begun])
    try:
        yield
    except BaseException as error:
        why = str(error) if isinstance(error, FlyballError) else type(error).__name__
        ledger.append([aborted(begun.service, begun.drill, begun.fault, f"it came to no end: {why}")])
        raise


def aborted(service: str, drill: str, fault: str, why: str) -> e.DrillEnded:
    return e.DrillEnded(service=ServiceName(service), drill=drill, fault=fault, outcome="aborted", why=why)
