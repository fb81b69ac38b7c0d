"""What the ledger does not know yet of error budgets: spent, restored, burning, calm.

With hysteresis, so that a budget on the brink does not fill the ledger.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flyball.core import events as e
from flyball.core.budget_standing import BudgetStanding
from flyball.core.declared.objectives import window_of
from flyball.core.ids import ServiceName

RESTORED: Final = 0.05  # share of the budget that must be left again
CALM: Final = 0.8  # of the limit: a burn rate has to fall below this in its short window, or in its long one


def budget_facts(
    service: str,
    standings: Sequence[BudgetStanding],
    *,
    declared: bool,
    spent: Mapping[str, e.BudgetSpent],
    burning: Mapping[str, e.BudgetBurning],
) -> tuple[e.AnyFact, ...]:
    """Args: declared: whether the service has a policy for its budgets. spent, burning: as the ledger has them."""
    name = ServiceName(service)
    known = {each.objective.name: each for each in standings} if declared else {}
    facts: list[e.AnyFact] = []
    for objective, fact in (*spent.items(), *burning.items()):
        if objective not in known:
            why = "it is no objective of the service any more"
            restored = e.BudgetRestored(service=name, objective=objective, left=None, why=why)
            calm = e.BudgetCalm(service=name, objective=objective, why=why)
            facts.append(restored if isinstance(fact, e.BudgetSpent) else calm)
    for objective, standing in known.items():
        facts += _of_spending(name, standing, spent.get(objective))
        facts += _of_burning(name, standing, burning.get(objective))
    return tuple(facts)


def _of_spending(service: ServiceName, standing: BudgetStanding, known: e.BudgetSpent | None) -> Iterator[e.AnyFact]:
    """What cannot be measured changes nothing. A whole window without events spends nothing, and neither do the first
    moments of one."""
    objective, left = standing.objective, standing.left
    if left is None:
        if known is not None and standing.counted.total > 0:
            why = "no event was counted in its whole window"
            yield e.BudgetRestored(service=service, objective=objective.name, left=None, why=why)
        return
    of = f"{standing.events.bad:g} of {standing.events.total:g} events were bad, {objective.budget:.3%} may be"
    if known is None and left <= 0 and not standing.early_s:
        yield e.BudgetSpent(
            service=service,
            objective=objective.name,
            left=left,
            target=objective.target,
            window_s=window_of(objective),
            why=of,
        )
    elif known is not None and left >= RESTORED:
        yield e.BudgetRestored(service=service, objective=objective.name, left=left, why=of)


def _of_burning(service: ServiceName, standing: BudgetStanding, known: e.BudgetBurning | None) -> Iterator[e.AnyFact]:
    """A graver rule takes the place of the one that stands, a lighter one when that one is over."""
    now, name = standing.burning, standing.objective.name
    graver = known is not None and now is not None and (known.urgency, now.urgency) == ("ticket", "page")
    if known is not None and not graver and not _over(known, standing):
        return
    if now is not None:
        yield e.BudgetBurning(
            service=service,
            objective=name,
            urgency=now.urgency,
            rate=now.rate,
            limit=now.limit,
            long_s=now.long_s,
            short_s=now.short_s,
            low_traffic=now.low_traffic,
            why=now.why,
        )
    elif known is not None:
        yield e.BudgetCalm(service=service, objective=name, why="it is spent no faster than its limit any more")


def _over(known: e.BudgetBurning, standing: BudgetStanding) -> bool:
    """Whether what was told holds no longer, by a margin. A window without events spends nothing."""
    by = {burn.window_s: burn for burn in standing.burns}
    long, short = by.get(known.long_s), by.get(known.short_s)
    if long is None or short is None or long.rate is None or short.rate is None:
        return True
    if known.low_traffic:
        return short.events.bad <= 0 or long.rate < CALM * known.limit
    return min(long.rate, short.rate) < CALM * known.limit
