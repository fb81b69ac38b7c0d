"""A person accepts that a step of the rollout cannot answer in its time: by name, with a reason, under this policy."""

from collections.abc import Callable, Sequence

from flyball.app.people import Person, Word, may, say
from flyball.app.subjects import Reading
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import BadInput, Fault
from flyball.core.ids import Digest, ServiceName
from flyball.core.ledger import Entry, Ledger
from flyball.core.service import Metadata
from flyball.core.step_names import timed_names


def waive(ledger: Ledger, subject: str, steps: Sequence[str], person: Person, why: str) -> tuple[Entry, ...]:
    """Args: steps: by their names, as `flyball rollout plan` tells them.

    Raises: BadInput: no step of the service is called so, with all that are not. NotFound: no such service. NotAllowed:
        the person is no approver.
    """
    return say(ledger, subject, waiving(ledger, steps, person, why))


def waiving(ledger: Ledger, steps: Sequence[str], person: Person, why: str) -> Callable[[ServiceState, Metadata], Word]:
    """The word itself, for one that says more."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("approver",))
        _known(ledger, state.service, steps)
        facts = tuple(
            e.StepWaived(
                service=ServiceName(state.service),
                step=step,
                policy=Digest(state.policy),
                by=person.name,
                proof=person.proof,
                why=why,
            )
            for step in dict.fromkeys(steps)
            if step not in state.waived
        )
        return Word(about=(state.service, state.policy), facts=facts)

    return word


def _known(ledger: Ledger, service: str, steps: Sequence[str]) -> None:
    reading = Reading(ledger)
    reading.states()
    names = timed_names(reading.declaration(service).rollout.steps)
    faults = tuple(
        Fault(
            where="what is waived",
            path="steps",
            expected=f"a step that collects evidence: {', '.join(names)}",
            found=step,
        )
        for step in steps
        if step not in names
    )
    if faults:
        raise BadInput("no step is called so", faults)
