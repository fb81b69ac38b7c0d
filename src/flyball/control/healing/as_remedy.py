"""A ticket for a training that a signal asks for is a remedy like the others, and is verified like them. Pure."""

from flyball.control.decision import Situation
from flyball.control.healing.beginning import verify_by
from flyball.control.healing.causes import ABOUT, Cause, causes_of
from flyball.control.healing.choosing import policy_of
from flyball.core import events as e
from flyball.core.codec import digest
from flyball.core.events import Reason
from flyball.core.ids import ServiceName, short
from flyball.core.service import DeclaredRemedy


def as_remedy(situation: Situation, fired: Reason, ticket: str) -> tuple[e.RemedyBegun, ...]:
    """The intent beside the ticket; empty where nothing unwell asks for it, or the policy names no training for it."""
    state = situation.state
    cause = next((one for one in causes_of(situation) if one.kind in ABOUT.get(fired, ())), None)
    found = None if cause is None else _training_of(situation, cause)
    if cause is None or found is None:
        return ()
    number, remedy = found
    begun = e.RemedyBegun(
        service=ServiceName(state.service),
        remedy="re-" + short(digest("flyball/remedy/v1", [state.service, state.version, cause.key, "retrain"])),
        kind="retrain",
        cause=cause.key,
        number=number,
        why=f"{cause.key} ({cause.severity}): {cause.why}; the trigger {fired} has seen it for long enough",
        verify_by=verify_by(situation, remedy),
        incident=cause.incident,
        target=ticket,
        figures=cause.figures,
        drill=cause.drill,
    )
    return (begun,)


def _training_of(situation: Situation, cause: Cause) -> tuple[int, DeclaredRemedy] | None:
    found = policy_of(situation, cause)
    if found is None:
        return None
    return next(((n, one) for n, one in enumerate(found[0].remedies) if one.kind == "retrain"), None)
