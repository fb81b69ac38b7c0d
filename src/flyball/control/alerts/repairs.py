"""Rows that a quarantine kept out and that nobody has repaired: a ticket with the command that fills them in. Pure."""

from collections.abc import Iterator

from flyball.control.decision import Situation, elapsed_s
from flyball.control.state.healing_state import Unrepaired

LONGEST_S = 30 * 86_400.0  # after so long nobody repairs them any more


def owed(situation: Situation) -> Iterator[tuple[str, str, str]]:
    """Fingerprint, summary and detail of each."""
    state = situation.state
    for one in state.healing.unrepaired.values():
        if elapsed_s(one.until, situation.now) < LONGEST_S:
            summary = f"rows of incident {one.incident} stay out of trainings until they are repaired"
            yield f"repair/{one.incident}", summary, _detail(situation, one)


def _detail(situation: Situation, one: Unrepaired) -> str:
    name = situation.state.service
    place = situation.service.incidents.repaired(one.incident)
    by_itself = (
        f"Lay the repaired rows down as {place}, and the controller fills them in by itself."
        if place is not None
        else "Where incidents.repairs is declared the controller does it by itself."
    )
    return (
        f"They came from {one.since} to {one.until}. Once their source is repaired:\n\n"
        f"flyball backfill {name} --since {one.since} --until {one.until} --rows FILE --incident {one.incident}\n\n"
        f"{by_itself} Rows that are good as they are: flyball approve {one.incident}, while it is open."
    )
