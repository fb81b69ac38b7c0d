"""What was done or left undone, for the ledger: where the answer is another than last time, figures apart. Pure."""

import re
from collections.abc import Sequence

from flyball.control.decision import Decision
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import ServiceName


def explanations(decisions: Sequence[Decision], state: ServiceState) -> list[e.AnyFact]:
    """Of those decisions whose facts do not say why themselves."""
    told: list[e.AnyFact] = []
    for decision in decisions:
        if decision.told:
            continue
        fact = e.DecisionTaken(
            service=ServiceName(state.service),
            action=decision.action,
            why=f"{decision.what}: {decision.why}",
            waiting_for=decision.waiting_for,
        )
        last = state.decisions.get(decision.action)
        if last is None or _gist(last) != _gist(fact):
            told.append(fact)
    return told


def _gist(fact: e.DecisionTaken) -> tuple[str, ...]:
    """A decision without its figures: a count that grows is not another answer."""
    return tuple(re.sub(r"\d[\d.]*", "#", text) for text in (fact.why, *fact.waiting_for))
