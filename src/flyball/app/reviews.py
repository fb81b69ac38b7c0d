"""A person says what a retraining, or another remedy, was worth, and its ladder moves: down at once, up after several
good ones. Each kind of remedy has a ladder for each kind of cause: what harms against latency may help against errors.
"""

from msgspec.structs import replace

from flyball.app.people import Person, Word, may, say
from flyball.app.subjects import Reading
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import NotFound, Refused
from flyball.core.ids import ServiceName
from flyball.core.ledger import Entry, Ledger
from flyball.core.record import Record
from flyball.core.service import Metadata
from flyball.decide.ladder import Review, alone, reviewed

HELPED = ("helped: yes", "helped: unknown")  # outcomes of remedies that may have been good


class Past(Record):
    """A retrain ticket or a remedy, as the ledger tells it."""

    service: str
    remedy: str = "retrain"  # whose ladder it moves
    of_ticket: str = ""  # of a training that was begun as a remedy: what to review in its place
    ordered_by: str = ""  # the person who ordered its training; empty: the loop did
    outcome: str = ""  # empty: it is open
    review: e.RemedyReviewed | None = None
    outdated: bool = False  # the rung was moved after it was opened: it says nothing about the rung of now


def review(ledger: Ledger, ticket: str, verdict: Review, person: Person, why: str) -> tuple[Entry, ...]:
    """Each ticket is reviewed once, when it is closed; each other remedy once, when it has its verdict.

    Raises: NotFound: no such ticket or remedy. Refused: the person may not, it is open or was reviewed, or nothing was
        trained; it was not promoted, or did not help, and cannot be good; who ordered it calls it good or useless, and
        somebody else could.
    """
    service, reading = _past(ledger, ticket).service, Reading(ledger)

    def word(_: ServiceState, metadata: Metadata) -> Word:
        past = _past(ledger, ticket)
        if past.review is not None and (past.review.verdict, past.review.by) == (verdict, person.name):
            return Word(about=(ticket,))
        if no := _objections(past, ticket, verdict):
            raise Refused(no)
        mine = past.ordered_by if verdict != "harmful" else None
        may(metadata, person, ("operator", "approver"), proposed_by=mine or None)
        state, _again = reading.find(service)
        autonomy = reading.autonomy(service)
        bounds = autonomy if past.remedy == "retrain" else alone(autonomy)
        step = reviewed(bounds, state.ladder(past.remedy), verdict)
        fact = e.RemedyReviewed(
            service=ServiceName(service),
            ticket=ticket,
            verdict=verdict,
            by=person.name,
            proof=person.proof,
            why=why,
            rung=step.rung,
            steps=step.standing.steps,
            good=step.standing.good,
            moved=step.why,
            remedy=past.remedy,
        )
        return Word(about=(ticket,), facts=(fact,))

    return say(ledger, service, word)


def _objections(past: Past, ticket: str, verdict: Review) -> str:
    if past.review is not None:
        return f"{ticket} was called {past.review.verdict} by {past.review.by}: one review each"
    if past.of_ticket:
        return f"{ticket} is a training: flyball review {past.of_ticket} says what that was worth"
    if not past.outcome:
        return f"{ticket} is open: what it was worth is not known yet"
    if past.outcome == "dismissed":
        return f"{ticket} was dismissed: nothing was trained"
    if verdict == "good" and past.outcome not in ("promoted", *HELPED):
        return f"{ticket} ended as {past.outcome}: what does not serve cannot have been good"
    if verdict == "good" and past.outdated:
        return f"{ticket} was opened before the rung was moved last: a rung is earned by what came after that"
    return ""


def _past(ledger: Ledger, ticket: str) -> Past:
    found: Past | None = None
    steps: dict[tuple[str, str], int] = {}  # of each ladder
    for entry in ledger.read():
        match entry.fact:
            case e.TicketOpened(ticket=name, service=service, kind=remedy) if name == ticket:
                found = Past(service=service, remedy=remedy)
            case e.RetrainOrdered(ticket=name, by=by, proof=proof) if name == ticket and proof != "policy" and found:
                found = replace(found, ordered_by=by)
            case e.TicketClosed(ticket=name, outcome=outcome) if name == ticket and found:
                found = replace(found, outcome=outcome)
            case e.RemedyBegun(remedy=name, service=service, kind=kind, cause=cause) if name == ticket:
                of_ticket = (entry.fact.target or "") if kind == "retrain" else ""
                found = Past(service=service, remedy=f"{kind}/{cause.split('/')[0]}", of_ticket=of_ticket)
            case e.RemedyVerified(remedy=name, helped=helped) if name == ticket and found:
                found = replace(found, outcome=f"helped: {helped}")
            case e.RemedyReviewed() as said:
                ladder = (said.service, said.remedy)
                moved = said.steps != steps.get(ladder, 0)
                steps[ladder] = said.steps
                if found is not None and said.ticket == ticket:
                    found = replace(found, review=said)
                elif found is not None and ladder == (found.service, found.remedy) and moved:
                    found = replace(found, outdated=True)
            case _:
                continue
    if found is None:
        raise NotFound(f"no retrain ticket or remedy is called {ticket!r}", hint="flyball explain SERVICE names them")
    return found
