"""Items of the checklist about people and money: owner, roles, costs, routine."""

from collections.abc import Iterable

from flyball.control.review.readiness.item import Asked, Item, failed, passed
from flyball.decide.overdue import overdue_digests


def owning(asked: Asked) -> Iterable[Item]:
    """Who answers for it, and what bounds it."""
    yield _people(asked)
    yield _cost(asked)
    yield _retention(asked)
    yield _digests(asked)


def _people(asked: Asked) -> Item:
    name = "it has an owner, and people who may act"
    metadata = asked.service.metadata
    held = {role for roles in metadata.people.values() for role in roles}
    lacking = [role for role in ("approver", "operator") if role not in held]
    if not metadata.owner.strip():
        return failed(name, "metadata.owner is empty", "metadata.owner: a team or a person")
    if lacking:
        return failed(
            name,
            f"{metadata.owner} owns it; nobody is {' or '.join(lacking)}",
            "metadata.people: {ada: [approver, operator]}",
        )
    count = len(metadata.people)
    return passed(name, f"{metadata.owner} owns it; {count} {'person has' if count == 1 else 'people have'} roles")


def _cost(asked: Asked) -> Item:
    """A bound in any seven days, and one for a single run."""
    name = "costs are bounded"
    budget, limits = asked.service.retrain.budget, asked.service.experiment.limits
    weekly = budget.runs_per_week is not None or budget.cost_per_week is not None
    single = limits.cost is not None or limits.memory_mb is not None
    lacking = [
        *([] if weekly else ["retrain.budget.runs_per_week or cost_per_week"]),
        *([] if single else ["experiment.limits.cost or memory_mb"]),
    ]
    if lacking:
        return failed(name, f"not declared: {'; '.join(lacking)}", lacking[0])
    return passed(name, "a week's retrainings and a single run have their bounds")


def _retention(asked: Asked) -> Item:
    name = "what is kept, and for how long, is decided"
    kept_s = asked.service.serving.log.retention_s
    if kept_s is None:
        return failed(name, "rows of clients are kept for ever", "serving.log.retention_s: 180d")
    return passed(name, f"rows of clients are kept for {kept_s / 86_400:g} days")


def _digests(asked: Asked) -> Item:
    name = "digests are written"
    declared, routine = asked.service.review, asked.state.routine
    if not declared.digests:
        return failed(name, "none is scheduled", "review.digests: [weekly, monthly, quarterly]")
    late = overdue_digests(
        declared.digests,
        written=routine.digests,
        began_at=routine.began_at,
        now=asked.seen.now,
        grace_s=declared.digest_grace_s,
    )
    if late:
        return failed(name, "; ".join(each.why for each in late), "flyball digest SERVICE --period ...")
    return passed(name, f"{', '.join(declared.digests)}; none is overdue")
