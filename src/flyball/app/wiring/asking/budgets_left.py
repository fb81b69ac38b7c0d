"""What is left of the error budgets of a service now, for a span that ends now."""

from datetime import datetime, timedelta

from flyball.app.home import Home
from flyball.app.wiring.loop.budgets_file import budgets_state
from flyball.core.errors import Unavailable
from flyball.decide.calendar import Span

NOW = timedelta(minutes=1)


def budgets_left(home: Home, service: str, span: Span, now: datetime) -> dict[str, float] | None:
    """Objective -> share of its budget. None: nobody could say, or the span ended before what the controller counts."""
    if span.until < now - NOW:
        return None
    try:
        found = budgets_state(home, service)
    except Unavailable:
        return None  # a view that another version wrote: the controller writes it anew, and until then it is unknown
    if found is None:
        return None
    left = {each.objective.name: each.left for each in found.budgets if each.left is not None}
    return left or None
