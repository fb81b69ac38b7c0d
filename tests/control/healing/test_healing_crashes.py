"""A controller that is killed before or behind any of its effects: whoever comes next ends where it would have."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.control.healing.patient import Patient, patient_service, sign
from tests.control.world import FIRST

from flyball.core import events as e
from flyball.core.service import DeclaredRemedy, HealingPolicy


class Killed(BaseException):
    """Nothing of the controller comes back from it."""


class Lives:
    """Counts the effects of all controllers, and kills the one that is about to have, or has just had, the n-th."""

    def __init__(self, at: int | None, side: str) -> None:
        self.at, self.side, self.count = at, side, 0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def struck(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            mine = self.count == self.at
            if mine and self.side == "before":
                raise Killed
            found = call(*arguments, **options)
            if mine:
                raise Killed
            return found

        return struck


def lived(at: int | None = None, side: str = "before") -> tuple[Patient, Lives]:
    """Errors that the chain ends, come back, and end with the way back; then slow answers and fresh workers."""
    recycle = HealingPolicy(cause="latency", least="warning", remedies=(DeclaredRemedy(kind="recycle_worker"),))
    errors = HealingPolicy(
        cause="errors", remedies=(DeclaredRemedy(kind="fall_back"), DeclaredRemedy(kind="roll_back"))
    )
    patient, lives = Patient(patient_service(errors, recycle)), Lives(at, side)
    for each, name in ((patient.ledger, "append"), (patient.gateways, "apply"), (patient.gateways, "recycle")):
        setattr(each, name, lives.wrap(getattr(each, name)))
    for signs, seconds in (
        ((sign("errors"),), 0.0),
        ((), 400.0),
        ((sign("errors"),), 0.0),
        ((), 10.0),
        ((sign("latency", "warning"),), 5.0),
        ((), 10.0),
    ):
        lives.at, kept = None, lives.at  # who writes down how well the service is dies elsewhere
        before = lives.count
        patient.ledger.append(_health(patient, signs))
        lives.count, lives.at = before, kept
        for wait in (1.0, seconds):
            _ticked(patient, wait)
    return patient, lives


def _health(patient: Patient, signs: tuple[Any, ...]) -> list[e.AnyFact]:
    from msgspec.structs import replace
    from tests.control.healing.patient import unwell

    from flyball.core.clock import timestamp

    now = timestamp(patient.clock.now())
    return [unwell(*(replace(each, since=now) for each in signs))]


def _ticked(patient: Patient, seconds: float) -> None:
    try:
        patient.tick(seconds)
    except Killed:
        patient.reconciler = patient.another("next")
        patient.clock.advance(31.0)  # its lease, and its claim on the command, run out
        patient.tick()
    patient.tick()


def ending(patient: Patient) -> dict[str, Any]:
    state, routing = patient.reconciler.state, patient.gateways.routing
    assert routing is not None
    return {
        "champion": state.champion,
        "routed": routing.champion,
        "relief": routing.relief,
        "kinds": patient.kinds,
        "verdicts": patient.verdicts,
        "recycled": len(set(patient.gateways.recycled)),
        "under way": state.healing.under_way,
        "standing": state.healing.standing,
    }


UNDISTURBED, COUNTED = lived()


def test_the_story_is_the_one_that_is_meant() -> None:
    assert ending(UNDISTURBED) == {
        "champion": FIRST,
        "routed": FIRST,
        "relief": None,
        "kinds": ["fall_back", "roll_back", "recycle_worker"],
        "verdicts": ["yes", "yes", "yes"],
        "recycled": 1,
        "under way": (),
        "standing": (),
    }
    assert COUNTED.count > 12


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_any_effect_the_end_is_the_same(side: str) -> None:
    wrong = {}
    for at in range(1, COUNTED.count + 1):
        patient, _ = lived(at, side)
        if ending(patient) != ending(UNDISTURBED):
            wrong[at] = ending(patient)
    assert wrong == {}


def test_a_gateway_without_a_controller_keeps_the_relief_that_it_has() -> None:
    patient = Patient()
    patient.falls_ill(sign("errors"))
    patient.reconciler.stop()
    patient.clock.advance(3600.0)
    assert patient.gateways.routing is not None
    assert patient.gateways.routing.relief is not None
