"""What is thought of a release, in the one shape that machines ask for: from the facts alone.

Nothing here is judged anew: that a rollout may go on, go further or must go back was decided where its traffic is.
A release passes when it serves, and for no other reason; whatever is unknown, late or unnamed does not.
"""

from typing import Literal

from flyball.app.api.endings import Ending
from flyball.app.subjects import is_root
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import NotFound
from flyball.core.ids import short
from flyball.core.record import Record
from flyball.core.routing import WHOLE, Verdict

Kind = Literal["PROMOTE", "HOLD", "ROLL_BACK", "INCONCLUSIVE", "INVALID"]
# as the loop begins its word on a step that it cannot judge (`control.rolling_out`); each other word is a wait
_SAID: dict[str, Kind] = {"invalid": "INVALID", "inconclusive": "INCONCLUSIVE"}


class Judgement(Record):
    """A verdict as others read it."""

    ok: bool  # PROMOTE, and nothing else
    verdict: Kind
    cause: str  # as in a verdict of `flyball.decide`; `none` where there is no special one
    reasons: tuple[str, ...]
    waiting_for: tuple[str, ...] = ()
    numbers: dict[str, float] = {}  # of the newest step that was judged
    service: str | None = None
    release: str | None = None
    rollout: str | None = None
    step: int | None = None  # that runs
    weight: float | None = None  # share of the units that the candidate answers


class Judged(Record):
    """The body of every answer that is a verdict: one key, so that a path such as `{$.data}` finds it."""

    data: Judgement


def of_verdict(verdict: Verdict) -> Judgement:
    """Of counts that somebody brought."""
    return Judgement(
        ok=verdict.kind == "PROMOTE",
        verdict=verdict.kind,
        cause=verdict.cause,
        reasons=(verdict.reason,),
        waiting_for=verdict.waiting_for,
        numbers=verdict.numbers,
    )


def judgement(state: ServiceState, endings: dict[str, Ending], release: str | None) -> Judgement:
    """Of a release of this service. Endings: how its newest rollout ended, by release.

    Release: its root, or 8 or more digits of it. None: the one that is tried now; where none is, the answer is
    INCONCLUSIVE, because a verdict on the release before would be taken for one on the next.

    Raises: NotFound: no release is called so, or several are.
    """
    running = state.rollout
    if running is not None and running.release == state.champion:
        running = None  # between the two facts of a promotion
    if running is not None and running.drill and release != running.release:
        running = None  # what a drill tries is no release that anybody waits for
    if release is None:
        if running is not None:
            return _running(state, running)
        why = "no rollout runs, and no release was named"
        return _one(state, "INCONCLUSIVE", why, None, waiting_for=("a rollout", "or the name of a release"))
    root = _root(state, release)
    if running is not None and running.release == root:
        return _running(state, running)
    return _settled(state, endings.get(root), root)


def _settled(state: ServiceState, ending: Ending | None, root: str) -> Judgement:
    """Of a release that is not being tried."""
    told = f": {ending.reason}" if ending is not None else ""
    if root == state.champion:
        if state.rollback_ordered is not None:
            why = f"{state.rollback_ordered.by} takes it back: {state.rollback_ordered.why}"
            return _one(state, "ROLL_BACK", why, root, ending=ending)
        return _one(state, "PROMOTE", f"release {short(root)} serves{told}", root, ending=ending)
    if root in state.withdrawn:
        outcome = ending.outcome if ending is not None else "withdrawn"
        return _one(state, "ROLL_BACK", f"release {short(root)}: {outcome}{told}", root, ending=ending)
    if not state.releases[root].passed:
        return _one(state, "ROLL_BACK", f"release {short(root)} has not passed its gates", root)
    if root in state.waiting:
        return _one(state, "HOLD", f"release {short(root)} passed its gates", root, waiting_for=("its rollout",))
    if ending is not None and ending.outcome == "rolled_back":
        return _one(state, "ROLL_BACK", f"release {short(root)}{told}", root, ending=ending)
    why = f"release {short(root)} neither serves nor is tried{told}"
    return _one(state, "INCONCLUSIVE", why, root, ending=ending)


def _running(state: ServiceState, rollout: RolloutState) -> Judgement:
    """Of the candidate of a rollout that is open: PROMOTE comes when it serves."""
    kind, reasons, waiting = _word(state, rollout)
    newest = rollout.rolled_back.verdict if rollout.rolled_back else None
    if newest is None and rollout.verdicts:
        newest = rollout.verdicts[-1][1]
    step = rollout.step
    return Judgement(
        ok=False,
        verdict=kind,
        cause=rollout.rolled_back.cause if rollout.rolled_back else "none",
        reasons=reasons,
        waiting_for=waiting,
        numbers=newest.numbers if newest is not None else {},
        service=state.service,
        release=rollout.release,
        rollout=rollout.rollout,
        step=step.index if step is not None else None,
        weight=step.routing.weight / WHOLE if step is not None else 0.0,
    )


def _word(state: ServiceState, rollout: RolloutState) -> tuple[Kind, tuple[str, ...], tuple[str, ...]]:
    """Kind, reasons, and what is waited for."""
    if (back := rollout.rolled_back) is not None:
        return "ROLL_BACK", (back.verdict.reason,), ()
    if (ordered := state.rollback_ordered) is not None:
        return "ROLL_BACK", (f"{ordered.by} takes it back: {ordered.why}",), ()
    if (no := rollout.rejected) is not None:
        return "ROLL_BACK", (f"{no.by} rejects it: {no.why}",), ()
    said = state.decisions.get("rollout")
    if rollout.step is not None and rollout.step.refused is not None:
        return "INCONCLUSIVE", (f"the gateway refuses step {rollout.step.index}: {rollout.step.refused}",), ()
    if said is None:
        return "HOLD", (f"rollout {rollout.rollout} is open",), ("the first word of the loop",)
    return _SAID.get(said.why.partition(":")[0], "HOLD"), (said.why,), said.waiting_for


def _one(
    state: ServiceState,
    kind: Kind,
    why: str,
    root: str | None,
    *,
    ending: Ending | None = None,
    waiting_for: tuple[str, ...] = (),
) -> Judgement:
    verdict = ending.verdict if ending is not None else None
    return Judgement(
        ok=kind == "PROMOTE",
        verdict=kind,
        cause=verdict.cause if verdict is not None and kind == "ROLL_BACK" else "none",
        reasons=(why,),
        waiting_for=waiting_for,
        numbers=verdict.numbers if verdict is not None else {},
        service=state.service,
        release=root,
        rollout=ending.rollout if ending is not None else None,
    )


def _root(state: ServiceState, release: str) -> str:
    found = [root for root in state.releases if is_root(release, root)]
    if len(found) != 1:
        hint = "its root, or 8 or more digits of it: flyball status"
        raise NotFound(f"{release!r} names {len(found)} releases of {state.service}", hint=hint)
    return found[0]
