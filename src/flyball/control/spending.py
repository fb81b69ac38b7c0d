"""A spent error budget freezes promotions: no rollout opens, nothing gets more traffic, but everything goes back. Pure.

No word of a person lifts it: a person may veto, never waive. It ends when some of the budget is there again, or when
the declaration says otherwise, which is another policy and voids the approvals of the old one.
"""

from flyball.control.decision import Decision, Situation
from flyball.core.promised import freezes
from flyball.core.routing import Routing

DAY_S = 86_400.0


def frozen_by_budget(situation: Situation, *, action: str = "rollout") -> Decision | None:
    """The wait for a budget; None: none is spent that freezes anything."""
    state = situation.state
    if not state.health.spent:
        return None
    names = sorted(name for name in state.health.spent if freezes(situation.service, name))
    if not names:
        return None
    spent = [state.health.spent[name] for name in names]
    why = "; ".join(f"the error budget of {one.objective} is spent ({one.why})" for one in spent)
    days = max(one.window_s for one in spent) / DAY_S
    back = (
        f"old errors to leave the window of {days:g} {'day' if days == 1 else 'days'}"
        if days >= 1
        else "old errors to leave the window"
    )
    return Decision(
        action=action,
        what="wait",
        why=f"{why}: promotions are frozen, the way back is not",
        waiting_for=(f"error budget of {', '.join(names)}: {back}: flyball slo status {state.service}",),
    )


def gives_more(routing: Routing, before: Routing | None) -> bool:
    """Whether an arm of an A/B test gets more than the order before gave it."""
    had = {arm.name: arm.weight for arm in before.arms} if before is not None else {}
    return any(arm.weight > had.get(arm.name, 0) for arm in routing.arms)
