"""How it stands now with what alerts of a service are about, by cause, as its controller wrote it down last."""

from collections.abc import Iterator, Mapping

from flyball.app.home import Home
from flyball.app.wiring.health_seen import health_seen
from flyball.app.wiring.loop.budgets_file import budgets_state
from flyball.control.alerts.evidence import of_sign
from flyball.core.budget_standing import BudgetStanding
from flyball.core.errors import Unavailable
from flyball.core.health_report import SILENT_S


def newest_figures(home: Home, service: str, now: str) -> Mapping[str, str]:
    """Of signs of health and of error budgets, in words; empty where no controller keeps the service. Now: RFC 3339."""
    seen = health_seen(home, service)
    if seen.kept_s is None or seen.kept_s > SILENT_S:
        return {}
    signs = {sign.key: of_sign(sign, now)[0] for sign in seen.standing.signs}
    return signs | dict(_budgets(home, service))


def _budgets(home: Home, service: str) -> Iterator[tuple[str, str]]:
    try:
        found = budgets_state(home, service)
    except Unavailable:
        return  # a view that another version wrote: the controller writes it anew, and until then it is unknown
    for each in found.budgets if found is not None else ():
        if each.left is not None:
            yield f"budget/{each.objective.name}", _of_budget(each, each.left)


def _of_budget(standing: BudgetStanding, left: float) -> str:
    burns = f"; {standing.burning.why}" if standing.burning is not None else ""
    return f"{left:.1%} of the error budget of {standing.objective.name} is left{burns}"
