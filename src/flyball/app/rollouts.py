"""What a person may say to a rollout beside yes, no and back: hold it, let it go on, end a step's wait, try a release.

Each is one fact, as in `people`. None of them touches a guardrail: what only can stop a rollout goes on, and a
candidate that is found worse goes back, paused or not.
"""

from collections.abc import Sequence
from typing import TypedDict

from flyball.app.people import Person, Word, may, ordered_back, say
from flyball.app.subjects import is_called, is_root
from flyball.app.waivers import waiving
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import NotFound, Refused
from flyball.core.ids import ReleaseRoot, RolloutId, ServiceName, short
from flyball.core.ledger import Entry, Ledger
from flyball.core.service import Metadata


class _Said(TypedDict):
    service: ServiceName
    rollout: RolloutId
    by: str
    proof: e.Proof
    why: str


def pause(ledger: Ledger, subject: str, person: Person, why: str = "") -> tuple[Entry, ...]:
    """Hold the rollout where it is. Raises: NotFound: none runs. Refused: the person may not."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        rollout = _running(state, subject)
        may(metadata, person, ("operator", "approver"))
        fact = e.RolloutPaused(**_said(state, rollout, person, why))
        return Word(about=(rollout.rollout,), facts=(fact,) if rollout.paused is None else ())

    return say(ledger, subject, word)


def resume(ledger: Ledger, subject: str, person: Person, why: str = "") -> tuple[Entry, ...]:
    """Let a paused rollout go on, or end a step that pauses until a person resumes.

    Raises: NotFound: none runs. Refused: it does not pause, or the person may not.
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        rollout = _running(state, subject)
        may(metadata, person, ("operator", "approver"))
        if rollout.paused is not None:
            return Word(about=(rollout.rollout,), facts=(e.RolloutResumed(**_said(state, rollout, person, why)),))
        if rollout.step is not None and rollout.step.kind == "pause":
            return _skip(state, rollout, person, why)
        raise Refused(f"rollout {rollout.rollout} is not paused", hint=f"flyball explain {rollout.rollout}")

    return say(ledger, subject, word)


def promote(ledger: Ledger, subject: str, person: Person, why: str) -> tuple[Entry, ...]:
    """End the wait of the running step: the rollout goes on with the next one as soon as nothing speaks against it.

    Raises: NotFound: none runs. Refused: the step asks for an approval, or is the last, or the person may not.
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        rollout = _running(state, subject)
        may(metadata, person, ("approver",), proposed_by=state.proposed.get(rollout.release))
        if rollout.drill:
            hint = f"flyball rollout abort {state.service} takes it back"
            raise Refused(f"rollout {rollout.rollout} tries the candidate of drill {rollout.drill}", hint=hint)
        step = rollout.step
        if step is None or step.kind in ("approval", "promote"):
            kind = "has not begun" if step is None else f"is {step.kind}"
            hint = f"flyball approve {state.service}" if step is not None and step.kind == "approval" else ""
            raise Refused(f"the step of rollout {rollout.rollout} {kind}: there is no wait to end", hint=hint)
        if rollout.paused is not None:
            hint = f"flyball rollout resume {state.service} first"
            raise Refused(f"rollout {rollout.rollout} is paused by {rollout.paused.by}", hint=hint)
        return _skip(state, rollout, person, why)

    return say(ledger, subject, word)


def abort(ledger: Ledger, subject: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Take the running rollout back, and nothing else. Raises: Refused: none runs, or the person may not."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("operator", "approver"))
        if state.rollout is None:
            hint = f"flyball rollout undo {state.service} takes the champion back"
            raise Refused(f"{state.service}: no rollout runs", hint=hint)
        return Word(about=(state.rollout.rollout,), facts=(ordered_back(state, person, why),))

    return say(ledger, subject, word)


def undo(ledger: Ledger, subject: str, person: Person, why: str) -> tuple[Entry, ...]:
    """Let the release before the champion serve again. Raises: Refused: a rollout runs, or there is none to go back to,
    or the person may not."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("operator", "approver"))
        if state.rollout is not None:
            hint = f"flyball rollout abort {state.service} ends it first"
            raise Refused(f"{state.service}: rollout {state.rollout.rollout} runs", hint=hint)
        if state.previous is None:
            what = f"{state.service}: no release is kept to go back to from {state.champion}"
            hint = f"flyball ab stop {state.service} ends the A/B test" if state.ab is not None else ""
            raise Refused(what, hint=hint)
        return Word(about=(str(state.champion),), facts=(ordered_back(state, person, why),))

    return say(ledger, subject, word)


def want(
    ledger: Ledger, service: str, release: str | None, person: Person, why: str, *, waive: Sequence[str] = ()
) -> tuple[Entry, ...]:
    """Roll this release out next: one that passed its gates (or has exceptions for them) and waits, or, with a reason,
    one that was withdrawn.

    Args: release: its root or the first digits of it; None: the newest that waits, else the newest that was withdrawn.
        waive: steps that may be underpowered, as `waivers.waive` says.

    Raises: NotFound: no such release. Refused: it serves or is tried, it has not passed, it was withdrawn and nobody
        says why, or the person may not. BadInput: no step is called so.
    """
    accepted = waiving(ledger, waive, person, why)

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("approver",))
        root = _wanted(state, release)
        tried = state.rollout.release if state.rollout is not None else None
        if root in (state.champion, tried):
            raise Refused(f"release {short(root)} {'serves' if root == state.champion else 'is tried'} already")
        if not state.exceptions.lets_on(state.releases[root], state.policy):
            raise Refused(f"release {short(root)} has not passed its gates", hint=f"flyball explain {short(root)}")
        if root in state.withdrawn and not why:
            raise Refused(
                f"release {short(root)} was taken back or turned down: another try needs a reason",
                hint=f"flyball rollout retry {state.service} --why ...",
            )
        fact = e.ReleaseWanted(
            service=ServiceName(state.service), release=ReleaseRoot(root), by=person.name, proof=person.proof, why=why
        )
        return Word(about=(root,), facts=(*(accepted(state, metadata).facts if waive else ()), fact))

    return say(ledger, service, word)


def _running(state: ServiceState, subject: str) -> RolloutState:
    if state.rollout is None or not is_called(subject, state, state.rollout):
        raise NotFound(f"no rollout of {subject!r} runs", hint=f"flyball rollout history {state.service}")
    return state.rollout


def _said(state: ServiceState, rollout: RolloutState, person: Person, why: str) -> _Said:
    return _Said(
        service=ServiceName(state.service),
        rollout=RolloutId(rollout.rollout),
        by=person.name,
        proof=person.proof,
        why=why,
    )


def _skip(state: ServiceState, rollout: RolloutState, person: Person, why: str) -> Word:
    assert rollout.step is not None
    index = rollout.step.index
    fact = e.StepSkipped(step=index, **_said(state, rollout, person, why))
    known = any(skip.step == index for skip in rollout.skipped)
    return Word(about=(rollout.rollout, str(index)), facts=() if known else (fact,))


def _wanted(state: ServiceState, release: str | None) -> str:
    if release is not None:
        found = [root for root in state.releases if is_root(release, root)]
        if len(found) != 1:
            hint = "8 or more digits of one: flyball lineage, flyball status"
            raise NotFound(f"{release!r} names {len(found)} releases of {state.service}", hint=hint)
        return found[0]
    for among in (state.waiting, [root for root in state.releases if root in state.withdrawn]):
        if among:
            return among[-1]
    raise NotFound(f"{state.service}: no release waits, and none was withdrawn")
