"""What an alert brings along, as a person needs it to act: summary, evidence as Markdown, labels. Pure."""

from flyball.control.decision import elapsed_s
from flyball.control.diagnosis_words import told_diagnosis
from flyball.control.state.service_state import TicketState
from flyball.core import events as e
from flyball.core.health import Sign
from flyball.core.ids import short
from flyball.core.watching import Signal

FRESH_S = 60.0  # figures are measured twice as often


def of_sign(sign: Sign, now: str) -> tuple[str, str]:
    """With the moment of its figures, where nobody has measured for some time: after a start, or without rows."""
    old = bool(sign.as_of) and elapsed_s(sign.as_of, now) > FRESH_S
    why = f"{sign.why} (as of {sign.as_of[:19]}Z)" if old else sign.why
    return why, f"{why}\n\nSince {sign.since}. It ends when {sign.clears}."


def of_signal(signal: Signal) -> tuple[str, str]:
    what = f"{signal.signal} of {signal.feature}" if signal.feature else signal.signal
    size = f"{what} is {signal.value:.4g}, beyond {signal.limit:.4g}"
    rows = f"window {signal.window} (rows {signal.first_row} to {signal.last_row})"
    return signal.detail or size, f"{size} in {rows}."


def of_ticket(ticket: TicketState) -> tuple[str, str, dict[str, str]]:
    """A retraining that is wanted, with all that speaks for it: so nobody has to look for the evidence."""
    opened = ticket.opened
    features = ", ".join(opened.diagnosis.features)
    summary = f"a retraining is wanted ({ticket.reason}): {opened.why or opened.diagnosis.reason}"
    lines = [f"Diagnosis: {told_diagnosis(opened.diagnosis)}"]
    lines += [f"Features: {features}"] if features else []
    lines += [f"- {name}: {value:.4g}" for name, value in opened.diagnosis.numbers.items()]
    if opened.evidence:
        lines += ["", "| signal | feature | value | limit | windows in a row | rows |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {one.signal} | {one.feature or ''} | {one.value:.4g} | {one.limit:.4g} | {one.consecutive} "
            f"| {one.first_row} to {one.last_row} |"
            for one in opened.evidence
        ]
    if opened.rung in ("suggest", "approval"):
        lines += ["", f"It waits for a person: `flyball approve {ticket.ticket}`"]
    return summary, "\n".join(lines), {"ticket": ticket.ticket, "reason": ticket.reason}


def of_rollback(fact: e.RolledBack) -> tuple[str, str, dict[str, str]]:
    summary = f"release {short(fact.release)} was taken back by the {fact.by} ({fact.cause})"
    detail = f"{fact.verdict.reason}\n\nRelease {short(fact.to)} serves. The reason, step by step: `flyball explain`."
    return summary, detail, {"release": short(fact.release), "rollout": fact.rollout}


def of_given_up(fact: e.CommandGivenUp) -> tuple[str, str]:
    summary = f"the order {fact.key} failed {fact.attempts} times, and nobody tries it any more"
    return summary, f"The last error: {fact.error}"


def of_pages(person: str, count: int, most: int, *, drills: int = 0) -> tuple[str, str]:
    """Pages of drills count, as whoever was woken by one was woken; that they are of drills is said.

    >>> of_pages("ada", 6, 5, drills=3)[0]
    'ada was paged 6 times in seven days, 3 of them by drills, more than 5'
    """
    summary = f"{person} was paged {count} times in seven days{f', {drills} of them by drills' if drills else ''}"
    detail = "A page that needed nobody is a fault of a limit or of a policy: `flyball alerts list --all` names them."
    if drills:
        detail += " A page of a drill counts as any other: whoever is woken by it is woken."
    return f"{summary}, more than {most}", detail


def of_burning(fact: e.BudgetBurning) -> tuple[str, str, dict[str, str]]:
    """Labelled by the objective, as the rules for Prometheus are."""
    detail = f"{fact.rate:.3g} times what the budget allows, limit {fact.limit:.3g}."
    return f"the error budget of {fact.objective} is burning: {fact.why}", detail, {"slo": fact.objective}


def of_spent(fact: e.BudgetSpent, *, frozen: bool) -> tuple[str, str, dict[str, str]]:
    """Frozen: whether promotions stand still because of it."""
    then = "Promotions are FROZEN until there is some of it again." if frozen else "It freezes no promotion."
    detail = f"{fact.left:.1%} of the budget is left. {then}"
    return f"the error budget of {fact.objective} is spent: {fact.why}", detail, {"slo": fact.objective}
