"""What is done about a service that is unwell: one remedy at a time, each verified, by the policy of its owner. Pure.

Theory of operation. Causes are what health and incidents show now (`causes.py`). First comes what was begun: a verdict
that is due (`verifying.py`), a relief whose time has come (`ending.py`), one that stays (`renewing.py`). Only then is
anything begun: of the worst cause, the first remedy of its policy that was not tried in this bout and that nothing
speaks against (`choosing.py`, `allowed.py`). While one is under way nothing else is begun, here or by the concerns
behind this one: what two actions did together nobody could tell apart. What takes days (a training, a quarantine, a
page) blocks no other. While nobody sees how the service is, nothing is judged, ended or begun: what stands is kept up.
"""

from flyball.control.decision import Decision, Situation
from flyball.control.healing.beginning import begin
from flyball.control.healing.causes import Cause, causes_of
from flyball.control.healing.choosing import Choice, choose
from flyball.control.healing.ending import end, hold_s
from flyball.control.healing.renewing import renew
from flyball.control.healing.verifying import verify


def plan_healing(situation: Situation) -> Decision | None:
    """The next move against what is wrong; None: nothing is, and nothing stands."""
    state = situation.state
    causes = causes_of(situation)
    if not causes and not state.healing.under_way and not state.healing.standing:
        return None
    if situation.stale or state.champion is None:
        return None  # by which policy? the standstill says what it waits for
    if situation.unseen:
        return renew(situation, causes)
    for move in (verify(situation, causes), end(situation, causes), renew(situation, causes)):
        if move is not None:
            return move
    if (flying := state.healing.in_flight) is not None:
        return Decision(
            action="healing",
            what=f"wait for {flying.begun.remedy} ({flying.begun.kind})",
            why=flying.begun.why,
            waiting_for=(f"{flying.begun.cause} to be gone by {flying.begun.verify_by}",),
        )
    told: list[tuple[Cause, Choice]] = []
    for cause in causes:
        choice = choose(situation, cause)
        if choice is None:
            continue
        if choice.remedy is not None:
            return begin(situation, cause, choice)
        told.append((cause, choice))
    return _standing(situation) or _left(told)


def _standing(situation: Situation) -> Decision | None:
    """A fallback in place of the champion holds back what is tried beside it; what it waits for is said."""
    for one in situation.state.healing.standing:
        if one.begun.kind == "fall_back":
            hold = hold_s(situation, one)
            return Decision(
                action="healing",
                what=f"{one.begun.remedy} (fall_back) stands",
                why=one.begun.why,
                waiting_for=(f"{one.begun.cause} to be gone for {hold:.0f} s",),
            )
    return None


def _left(told: list[tuple[Cause, Choice]]) -> Decision | None:
    """Nothing is begun, and why: nothing behind this waits for it."""
    if not told:
        return None
    cause, choice = told[0]
    return Decision(
        action="remedy",
        what=f"{cause.key}: wait" if choice.waiting else f"nothing more against {cause.key} by itself",
        why="; ".join([cause.why, *choice.skipped]),
        waiting_for=choice.waiting or (f"a person, or {cause.key} to end",),
    )
