"""Which remedy is next against a cause: the policy's order, less what was tried in this bout or cannot be. Pure."""

from typing import Any

from flyball.control.decision import Situation, elapsed_s
from flyball.control.healing.allowed import is_harmful, obstacles
from flyball.control.healing.causes import RANK, Cause
from flyball.control.healing.training import TO_BE_OPENED, is_near
from flyball.control.policing import facts_of
from flyball.control.state.healing_state import Tried
from flyball.core.policy_facts import asked
from flyball.core.record import Record
from flyball.core.service import DeclaredRemedy, HealingPolicy

PAGE = DeclaredRemedy(kind="page")
BACK = DeclaredRemedy(kind="roll_back")


class Choice(Record):
    """The next remedy, and what was passed over."""

    remedy: DeclaredRemedy | None  # None: nothing is left, or there is something to wait for
    number: int = 0  # its place in the order
    why: str = ""
    skipped: tuple[str, ...] = ()  # each with why
    waiting: tuple[str, ...] = ()  # for a remedy that somebody else begins


def choose(situation: Situation, cause: Cause) -> Choice | None:
    """None: no policy is about it."""
    found = policy_of(situation, cause)
    if found is None:
        return None
    policy, name = found
    order, why = _order(situation, cause, policy)
    bout = bout_of(situation, cause)
    flying = next((one for one in bout if one.verified is None and one.begun.kind != "page"), None)
    if flying is not None:
        waits = f"{flying.begun.remedy} ({flying.begun.kind}) to have helped by {flying.begun.verify_by}"
        return Choice(remedy=None, waiting=(waits,))
    skipped: list[str] = []
    again: list[tuple[int, DeclaredRemedy]] = []
    last = order[-1:]
    for number, remedy in enumerate(order):
        before = _last(bout, remedy, _target(situation, cause, remedy))
        if before is not None and not _came_back(before):
            skipped.append(f"{remedy.kind}: {_result(before)}")
            continue
        if remedy.kind == "retrain" and not is_harmful(situation, cause, remedy):
            if is_near(situation, cause) or (remedy,) == last:
                waiting = obstacles(situation, cause, remedy) or (TO_BE_OPENED,)
                return Choice(remedy=None, skipped=tuple(skipped), waiting=waiting)
        elif before is not None:
            again.append((number, remedy))  # it helped, and helps again where nothing better does
            continue
        if remedy.kind == "page" and again:
            continue  # nobody is woken for what a remedy that helped can do again
        if (choice := _taken(situation, cause, remedy, number, skipped, f"{name}, {why}")) is not None:
            return choice
    for number, remedy in again:
        if (choice := _taken(situation, cause, remedy, number, skipped, f"{name}, it helped before")) is not None:
            return choice
    return _page(bout, order, skipped, "nothing else is left")


def policy_of(situation: Situation, cause: Cause) -> tuple[HealingPolicy, str] | None:
    """The first policy that is about it, and its place in the file."""
    state = situation.state
    emergency = state.health.health.state == "FAILED" and cause.severity == "failed"
    for index, policy in enumerate(situation.service.healing.policies):
        about = (cause.key, cause.kind, *(("upstream",) if cause.upstream else ()))
        fits = emergency if policy.cause == "failed" else policy.cause in about
        if not fits or RANK[cause.severity] < RANK[policy.least]:
            continue
        if policy.when is None or asked(policy.when, "heal", told_of(situation, cause)).passed:
            return policy, f"healing.policies[{index}] ({policy.cause})"
    return None


def told_of(situation: Situation, cause: Cause) -> dict[str, Any]:
    """What the condition of a policy may read."""
    state = situation.state
    today = state.healing.tried_for(cause.drill, at=situation.now)
    tried = [one for one in today if one.begun.cause == cause.key]
    return facts_of(
        situation,
        state.champion or "",
        health=state.health.health.state,
        severity=cause.severity,
        incidents_today=state.incidents.in_a_day(cause.key, situation.now),
        remedies_today=len(tried),
    )


def bout_of(situation: Situation, cause: Cause) -> tuple[Tried, ...]:
    """What was tried against it since it was last away for long, newest last. A cause that has stood all the time was
    not away, however long ago the last remedy was."""
    again_s, since = situation.service.healing.again_s, cause.since or situation.now
    bout: list[Tried] = []
    tried = situation.state.healing.tried_for(cause.drill)
    for one in reversed([one for one in tried if one.begun.cause == cause.key]):
        if not one.stands and elapsed_s(one.last_at, since) > again_s:
            break
        bout.append(one)
        since = one.at
    return tuple(reversed(bout))


def _order(situation: Situation, cause: Cause, policy: HealingPolicy) -> tuple[tuple[DeclaredRemedy, ...], str]:
    most = situation.service.healing.incidents_per_day
    seen = situation.state.incidents.in_a_day(cause.key, situation.now)
    if seen < most:
        return policy.remedies, "the next of its order"
    first = next((one for one in policy.remedies if one.kind == "roll_back"), BACK)
    rest = tuple(one for one in policy.remedies if one.kind != "roll_back")
    return (first, *rest), f"the way back first: {seen} incidents of {cause.key} in a day"


def _target(situation: Situation, cause: Cause, remedy: DeclaredRemedy) -> str | None:
    """The release that a way back takes away, and the incident whose rows are kept out: another one is another remedy.
    A supply that breaks again has not shown that keeping its rows out is of no help."""
    state = situation.state
    if remedy.kind == "quarantine":
        return cause.incident
    if remedy.kind != "roll_back":
        return None
    return state.rollout.release if state.rollout is not None else state.champion


def _last(bout: tuple[Tried, ...], remedy: DeclaredRemedy, target: str | None) -> Tried | None:
    return next(
        (
            one
            for one in reversed(bout)
            if one.begun.kind == remedy.kind and (target is None or one.begun.target == target)
        ),
        None,
    )


def _came_back(one: Tried) -> bool:
    """It helped, was taken away, and the cause is there again."""
    return one.ended and one.verified is not None and one.verified.helped == "yes"


def _result(one: Tried) -> str:
    if one.verified is None:
        return f"{one.begun.remedy} is under way"
    said = {"yes": "helped", "no": "did not help", "unknown": "may have helped or not"}[one.verified.helped]
    return f"{one.begun.remedy} {said}"


def _taken(
    situation: Situation, cause: Cause, remedy: DeclaredRemedy, number: int, skipped: list[str], why: str
) -> Choice | None:
    """This one, or a page in its place; None: the next is looked at."""
    against = obstacles(situation, cause, remedy)
    if against:
        skipped.append(f"{remedy.kind}: {'; '.join(against)}")
        return None
    if remedy.kind != "page" and (over := over_budget(situation, remedy, cause)):
        skipped.append(f"{remedy.kind}: {over}")
        return _page(bout_of(situation, cause), (), skipped, f"the budget of {remedy.kind} is spent")
    return Choice(remedy=remedy, number=number, why=why, skipped=tuple(skipped))


def over_budget(situation: Situation, remedy: DeclaredRemedy, cause: Cause) -> str:
    """In words; empty where there is some left."""
    today = situation.state.healing.tried_for(cause.drill, at=situation.now)
    used = sum(one.begun.kind == remedy.kind for one in today)
    return f"{used} in 24 hours, {remedy.per_day} are allowed" if used >= remedy.per_day else ""


def _page(bout: tuple[Tried, ...], order: tuple[DeclaredRemedy, ...], skipped: list[str], why: str) -> Choice:
    """A person is told, once a bout."""
    if any(one.begun.kind == "page" for one in bout):
        return Choice(remedy=None, skipped=tuple(skipped))
    declared = next((one for one in order if one.kind == "page"), PAGE)
    return Choice(remedy=declared, number=len(order), why=why, skipped=tuple(skipped))
