"""Rows that a quarantine kept out and that nobody has repaired: a ticket with the command that fills them in. Pure."""

from collections.abc import Iterator

from flyball.control.decision import Situation, elapsed_s
from flyball.control.state.healing_state import Unrepaired

LONGEST_S = 30 * 86_400.0  # after so long nobody repairs them any more


LEFT_OUT = "left_out"  # label: rows that a backfill did not bring


def owed(situation: Situation) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Fingerprint, summary, detail and labels of each."""
    state = situation.state
    for one in state.healing.unrepaired.values():
        if elapsed_s(one.until, situation.now) < LONGEST_S:
            which = f"{one.left_out} of {one.rows + one.left_out} rows" if one.left_out else "rows"
            summary = f"{which} of incident {one.incident} stay out of trainings until they are repaired"
            labels = {LEFT_OUT: str(one.left_out)} if one.left_out else {}
            yield f"repair/{one.incident}", summary, _detail(situation, one), labels


def _detail(situation: Situation, one: Unrepaired) -> str:
    name = situation.state.service
    place = situation.service.incidents.repaired(one.incident)
    by_itself = (
        f"Lay the repaired rows down as {place}, and the controller fills them in by itself."
        if place is not None
        else "Where incidents.repairs is declared the controller does it by itself."
    )
    if one.left_out:
        more = " and others" if one.left_out > len(one.missing) else ""
        return (
            f"A backfill has brought {one.rows} rows; these are not in its table: {', '.join(one.missing)}{more}. Run "
            "it again with a table that has them too, beside those that it brought: the newest table speaks for the "
            f"whole span.\n\n{_command(name, one)}\n\nIf nobody can bring them, the same command with --rest-is-lost "
            "says so, and nobody is asked again."
        )
    return (
        f"They came from {one.since} to {one.until}. Once their source is repaired:\n\n"
        f"{_command(name, one)}\n\n"
        f"{by_itself} Rows that are good as they are: flyball approve {one.incident}, while it is open."
    )


def _command(service: str, one: Unrepaired) -> str:
    return f"flyball backfill {service} --since {one.since} --until {one.until} --rows FILE --incident {one.incident}"
