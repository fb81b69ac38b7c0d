"""How well a service is and which error budgets are spent, as the ledger has it."""

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.health import Health
from flyball.core.record import Record


class HealthStanding(Record):
    health: Health = Health()
    since: str = ""  # when it came to this state, RFC 3339, UTC; empty: never told
    critical_at: str = ""  # when a critical sign was told last, or that it is over
    spent: dict[str, e.BudgetSpent] = {}  # by objective: promotions stand still, where the policy says so
    burning: dict[str, e.BudgetBurning] = {}  # by objective
    refused: dict[str, e.AccessRefused] = {}  # by key: clients that are refused


def folded(standing: HealthStanding, fact: e.AnyFact, at: str) -> HealthStanding:
    """One fact further; one of something else changes nothing."""
    match fact:
        case e.HealthChanged(health=health):
            same = standing.since and health.state == standing.health.state
            signs = (*health.signs, *standing.health.signs)
            grave = any(sign.severity != "warning" for sign in signs)
            return replace(
                standing,
                health=health,
                since=standing.since if same else at,
                critical_at=at if grave else standing.critical_at,
            )
        case e.BudgetSpent(objective=name):
            return replace(standing, spent=standing.spent | {name: fact})
        case e.BudgetRestored(objective=name):
            return replace(standing, spent={each: spent for each, spent in standing.spent.items() if each != name})
        case e.BudgetBurning(objective=name):
            return replace(standing, burning=standing.burning | {name: fact})
        case e.BudgetCalm(objective=name):
            return replace(standing, burning={each: found for each, found in standing.burning.items() if each != name})
        case e.AccessRefused(key=key):
            return replace(standing, refused=standing.refused | {key: fact})
        case e.AccessCalm(key=key):
            return replace(standing, refused={each: told for each, told in standing.refused.items() if each != key})
        case _:
            return standing
