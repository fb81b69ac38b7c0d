"""Where the running rollout of a service stands: its steps, its traffic, what the loop said last and waits for."""

from typing import Literal

from flyball.app.rollout_history import PastRollout
from flyball.control.rollout.drilled import steps_of
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core.ids import short
from flyball.core.record import Record
from flyball.core.routing import WHOLE, Verdict
from flyball.core.service import Service
from flyball.core.step_names import step_names
from flyball.decide.even_shares import lowerings, spent

Whether = Literal["running", "promoted", "returnable"]


class RolloutStanding(Record):
    """What `flyball rollout status` shows; of a service without a rollout only the first three."""

    service: str
    champion: str | None
    waiting: tuple[str, ...]  # releases that passed and were not tried, oldest first
    withdrawn: tuple[str, ...]  # taken back, turned down or expired: tried again only by `rollout retry`
    rollout: str | None = None
    release: str | None = None
    opened_at: str | None = None
    drill: str = ""  # whose candidate is tried: it goes back with the drill at the latest
    exceptions: tuple[str, ...] = ()  # by which it goes ahead although a gate failed
    alone: str = ""  # the rule of the policy by which nobody is asked
    steps: tuple[str, ...] = ()  # kinds, in their order
    names: tuple[str, ...] = ()  # of the steps, as plans and words have them
    underpowered: tuple[str, ...] = ()  # names of steps that cannot answer in their time, accepted by somebody
    step: int | None = None  # that runs
    since: str | None = None  # when it began
    weight: float | None = None  # share of the units that the candidate answers
    shadow: float | None = None  # share of the rows that it answers beside the champion
    spent: str = ""  # why no suspicion lowers its weight any more
    paused_by: str | None = None
    frozen_by: str | None = None  # nothing moves but the way back
    rollback_by: str | None = None  # who ordered one that is still to be carried out
    judged: tuple[tuple[int, Verdict], ...] = ()  # steps that are over
    why: str = ""  # the loop's last word; its figures are of then, it speaks again when the answer is another
    why_at: str | None = None
    waiting_for: tuple[str, ...] = ()


def rollout_standing(state: ServiceState, service: Service) -> RolloutStanding:
    """From the facts alone."""
    said = state.decisions.get("rollout")
    found = RolloutStanding(
        service=state.service,
        champion=state.champion,
        waiting=state.waiting,
        withdrawn=tuple(root for root in state.releases if root in state.withdrawn),
        why=said.why if said is not None else "",
        why_at=state.decided_at.get("rollout") if said is not None else None,
        waiting_for=said.waiting_for if said is not None else (),
        frozen_by=state.frozen.by if state.frozen is not None else None,
        rollback_by=state.rollback_ordered.by if state.rollback_ordered is not None else None,
    )
    return found if state.rollout is None else _running(found, state.rollout, service)


def stands(state: ServiceState, past: tuple[PastRollout, ...], whether: Whether) -> bool:
    """What `flyball rollout status --whether` asks. Promoted: the newest rollout was, and its release is the champion
    to this moment: no rollout runs behind it, and no way back is under way. Returnable: `flyball rollback` has
    something to take back, and no way back is under way.

    Args: past: every rollout of the service, oldest first.
    """
    if whether == "running":
        return state.rollout is not None
    if whether == "returnable":
        return state.rollback_ordered is None and (state.rollout is not None or state.previous is not None)
    if state.rollout is not None or state.rollback_ordered is not None or not past:
        return False
    return past[-1].outcome == "promoted" and past[-1].release == state.champion


def _running(found: RolloutStanding, rollout: RolloutState, service: Service) -> RolloutStanding:
    step = rollout.step
    return RolloutStanding(
        service=found.service,
        champion=found.champion,
        waiting=found.waiting,
        withdrawn=found.withdrawn,
        why=found.why,
        why_at=found.why_at,
        waiting_for=found.waiting_for,
        rollout=rollout.rollout,
        release=rollout.release,
        opened_at=rollout.opened_at,
        exceptions=rollout.exceptions,
        alone=rollout.asked.alone if rollout.asked is not None else "",
        drill=rollout.drill,
        steps=tuple(each.kind for each in steps_of(rollout, service)),
        names=step_names(steps_of(rollout, service)),
        underpowered=rollout.weak,
        step=step.index if step is not None else None,
        since=step.started_at if step is not None else None,
        weight=step.routing.weight / WHOLE if step is not None else 0.0,
        shadow=step.routing.shadow if step is not None else 0.0,
        spent=spent(lowerings([weight for _, weight in rollout.weights])),
        paused_by=rollout.paused.by if rollout.paused is not None else None,
        judged=rollout.verdicts,
        frozen_by=found.frozen_by,
        rollback_by=found.rollback_by,
    )


def in_words(found: RolloutStanding) -> str:
    """For a terminal."""
    return "\n".join([*_story(found), *_ordered(found)])


def _ordered(found: RolloutStanding) -> list[str]:
    """What people have ordered for the whole service."""
    lines = [f"  frozen by {found.frozen_by}: nothing moves but the way back"] if found.frozen_by else []
    return [*lines, f"  a rollback is ordered by {found.rollback_by}"] if found.rollback_by else lines


def _story(found: RolloutStanding) -> list[str]:
    if found.rollout is None:
        serves = f"champion {short(found.champion)}" if found.champion else "no champion"
        lines = [f"{found.service}: no rollout runs; {serves}"]
        lines += [f"  waits: release {short(root)}" for root in found.waiting]
        if found.waiting and found.why:
            lines += [f"  {_as_of(found)}", *(f"  waits for {wait}" for wait in found.waiting_for)]
        return [*lines, *(f"  withdrawn: release {short(root)}" for root in found.withdrawn)]
    assert found.release is not None
    lines = [f"{found.service}: rollout {found.rollout} of release {short(found.release)}, since {found.opened_at}"]
    if found.drill:
        lines.append(
            f"  the candidate OF DRILL {found.drill}: no release, and it goes back with the drill at the latest"
        )
    if found.exceptions:
        lines.append(f"  FAILED a gate, and goes ahead BY EXCEPTION {', '.join(found.exceptions)}")
    if found.alone:
        lines.append(f"  NOBODY was asked, BY THE POLICY ALONE: {found.alone}")
    for index, name in enumerate(found.names):
        weak = " (underpowered, accepted)" if name in found.underpowered else ""
        lines.append(f"  {_mark(found, index)} {index} {name}{weak}{_told(found, index)}")
    if found.spent:
        lines.append(f"  {found.spent}")
    if found.paused_by is not None:
        lines.append(f"  paused by {found.paused_by}: the guardrails go on")
    if found.why:
        lines.append(f"  {_as_of(found)}")
    return [*lines, *(f"  waits for {wait}" for wait in found.waiting_for)]


def _as_of(found: RolloutStanding) -> str:
    """The word with its moment: what it counts stands still until the answer is another one."""
    return f"{found.why} (as of {found.why_at[:19]}Z)" if found.why_at else found.why


def _mark(found: RolloutStanding, index: int) -> str:
    if found.step is None or index > found.step:
        return "·"
    return "✓" if index < found.step else "▸"


def _told(found: RolloutStanding, index: int) -> str:
    if index == found.step:
        assert found.weight is not None
        live = f"{found.weight:.2%} of the units" if found.weight else "no unit"
        beside = f", {found.shadow:.0%} of the rows beside" if found.shadow else ""
        return f": {live}{beside}, since {found.since}"
    said = dict(found.judged).get(index)
    return f": {said.reason}" if said is not None else ""
