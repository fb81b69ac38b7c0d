"""A plan that its own check refuses: it is not carried out, it is told, and it stands until a plan passes. Pure.

The ledger's newest decision about `check` says where that stands, so a controller that begins anew knows it too.
"""

from collections.abc import Sequence

from flyball.control.decision import Decision
from flyball.control.state.service_state import ServiceState

REFUSED, ACCEPTED = "refused", "accepted"


def refused(broken: Sequence[str]) -> Decision:
    """In place of the plan. Broken: the rules that it would break, in words."""
    return Decision(action="check", what=REFUSED, why="; ".join(broken))


def refusal(state: ServiceState) -> str | None:
    """Why the loop's own check refused what it would do last; None: what it would do is allowed."""
    said = state.decisions.get("check")
    what, _, why = said.why.partition(": ") if said is not None else ("", "", "")
    return why if what == REFUSED else None


def accepted(state: ServiceState) -> Decision | None:
    """Said of a plan in which nothing moves any more: had it broken a rule, nobody would read this."""
    if refusal(state) is None:
        return None
    return Decision(action="check", what=ACCEPTED, why="what the loop would do breaks none of its own rules any more")
