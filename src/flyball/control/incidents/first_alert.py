"""Which alert told somebody of an incident first: one of its own, or of the cause that its own was held behind."""

from collections.abc import Sequence

from flyball.core import events as e
from flyball.core.ledger import Entry


def first_alert(opened: e.IncidentOpened, within: Sequence[Entry]) -> int | None:
    """The `seq` of its fact; None: nobody was told of it. Tests of alerts, and alerts of other causes that were raised
    at the same time, are none of it. Args: within: facts from the beginning of the incident to its end."""
    causes = {opened.cause or opened.kind}
    causes |= {one.fact.behind for one in within if isinstance(one.fact, e.AlertHeld) and one.fact.cause in causes} - {
        ""
    }
    for one in within:
        match one.fact:
            case e.AlertRaised(test=False, incident=incident, cause=cause) if (
                incident == opened.incident or cause in causes
            ):
                return one.seq
            case _:
                pass
    return None
