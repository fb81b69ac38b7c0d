"""The people of a rehearsal: they look now and then, approve what waits, and say no to what waits for too long."""

import numpy as np

from flyball.app.people import Person, approve, reject
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import Conflict, NotFound, Refused, Unavailable
from flyball.core.ledger import Ledger

APPROVER = Person(name="simulated approver", proof="simulated", every_role=True)
OTHERS = tuple(Person(name=f"simulated approver {n}", proof="simulated", every_role=True) for n in range(2, 6))
LOOKS_S = 600.0  # until somebody has read what waits, on average
PATIENCE_S = 8 * 3600.0  # a rollout that is open for longer is ended
WHY = "simulated"


class People:
    """Everybody who may say something, as one."""

    def __init__(self, ledger: Ledger, rng: np.random.Generator) -> None:
        self._ledger, self._rng = ledger, rng
        self._due: dict[str, float] = {}  # what waits -> when somebody answers, seconds since the beginning

    def act(self, state: ServiceState, now_s: float) -> bool:
        """Say what is due. True where something was said."""
        waiting = _waiting(state)
        self._due = {name: due for name, due in self._due.items() if name in waiting}
        for name, patience in waiting.items():
            if name not in self._due:
                self._due[name] = now_s + (patience or float(self._rng.exponential(LOOKS_S)))
        due = [name for name, at in self._due.items() if at <= now_s]
        return bool(due) and self._say(due[0], state)

    def _say(self, name: str, state: ServiceState) -> bool:
        what, subject = name.split(" ")[:2]
        rollout = state.rollout
        said = len(rollout.approvals) if rollout is not None and rollout.rollout == subject else 0
        person = (APPROVER, *OTHERS)[min(said, len(OTHERS))]
        try:
            if what == "end":
                return bool(reject(self._ledger, subject, APPROVER, WHY))
            return bool(approve(self._ledger, subject, person, WHY))
        except (Conflict, NotFound, Refused, Unavailable):
            return False  # somebody was faster, or the ledger is away: they look again


def _waiting(state: ServiceState) -> dict[str, float]:
    """What waits for a person, and how long they let it be; 0: until somebody looks."""
    found: dict[str, float] = {}
    rollout, ticket, incident = state.rollout, state.ticket, state.incident
    if rollout is not None:
        found[f"end {rollout.rollout}"] = PATIENCE_S
        if rollout.asked is not None and rollout.approved is None:
            found[f"approve {rollout.rollout} {len(rollout.approvals)}"] = 0.0  # each looks for themselves
    if ticket is not None and ticket.ordered is None and ticket.approved is None and incident is None:
        found[f"approve {ticket.ticket}"] = 0.0
    if incident is not None:
        found[f"approve {incident.incident}"] = PATIENCE_S
    return found
