"""A person wants a service trained again, now: a ticket that they open and order at once. The loop does the rest.

Cool-down, budget and the rest after fruitless trainings bind the loop and not a person. What would spoil the training
or run into something else binds both: an open quality incident, a rollout, a training that is under way.
"""

from flyball.app.people import Person, Word, may, say
from flyball.control.retraining import ordered
from flyball.control.state.service_state import ServiceState, TicketState
from flyball.core import events as e
from flyball.core.codec import digest
from flyball.core.errors import Refused
from flyball.core.ids import ServiceName, short
from flyball.core.ledger import Entry, Ledger
from flyball.core.service import Metadata
from flyball.core.watching import Diagnosis


def retrain(ledger: Ledger, service: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Open a ticket and order its training; a ticket that waits is ordered instead.

    Raises: Refused: the person may not, or something is in the way. NotFound: no such service.
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("operator", "approver"))
        if in_the_way := _in_the_way(state):
            raise Refused(f"{state.service} is not trained now: {'; '.join(in_the_way)}")
        ticket, facts = (state.ticket, ()) if state.ticket is not None else _opened(state, person, why)
        decision = ordered(state, ticket, by=person.name, proof=person.proof)
        return Word(about=(state.service,), facts=(*facts, *decision.facts), commands=decision.commands)

    return say(ledger, service, word)


def _in_the_way(state: ServiceState) -> tuple[str, ...]:
    found = []
    if state.champion is None:
        found.append("no release serves yet: flyball train makes the first")
    if state.ticket is not None and state.ticket.ordered is not None:
        found.append(f"the training of ticket {state.ticket.ticket} is under way")
    if state.incident is not None:
        found.append(
            f"the quality incident {state.incident.incident} is open: flyball approve, by its name, accepts the data"
        )
    if state.rollout is not None:
        found.append(f"the rollout {state.rollout.rollout} runs")
    return tuple(found)


def _opened(state: ServiceState, person: Person, why: str) -> tuple[TicketState, tuple[e.AnyFact, ...]]:
    name = "ti-" + short(digest("flyball/ticket/v1", [state.service, state.version, "by hand"]))
    reason = f"{person.name} asked for it" + (f": {why}" if why else "")
    opened = e.TicketOpened(
        service=ServiceName(state.service),
        ticket=name,
        kind="retrain",
        reason="manual",
        diagnosis=Diagnosis(kind="unknown", reason=reason),
    )
    return TicketState(ticket=name, reason="manual", opened_at="", row=opened.row, opened=opened), (opened,)
