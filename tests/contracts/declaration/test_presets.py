"""Presets of limits stand for a mapping, and an unknown one is told with the known ones."""

import pytest
from tests.contracts.declaration.test_service_file import small

from flyball.contracts.declaration.json_schema import service_schema
from flyball.contracts.declaration.presets import PSI_PRESETS, STEP_PRESETS
from flyball.contracts.declaration.service_file import declaration, parse
from flyball.core.errors import BadInput
from flyball.core.service import Psi


@pytest.mark.parametrize("name", PSI_PRESETS)
def test_a_preset_is_spelled_out(name: str) -> None:
    service = parse(small() + f"monitor: {{psi: {name}}}")
    assert service.monitor.psi == Psi(**PSI_PRESETS[name])  # type: ignore[arg-type]
    assert declaration(service)["monitor"]["psi"] == PSI_PRESETS[name]


def test_the_default_is_the_first_preset() -> None:
    assert parse(small()).monitor.psi == Psi(**PSI_PRESETS["psi-0.10-0.25x3"])  # type: ignore[arg-type]


def test_an_unknown_preset_is_told_with_the_known_ones() -> None:
    with pytest.raises(BadInput) as refused:
        parse(small() + "monitor: {psi: psi-0.30, window_rows: 0}")
    told = str(refused.value)
    assert "one of psi-0.10-0.25x3, psi-0.20, found psi-0.30" in told
    assert "monitor.window_rows" in told  # and the other faults as well


def test_an_editor_offers_the_presets() -> None:
    assert {"enum": list(PSI_PRESETS)} in service_schema()["$defs"]["Monitor"]["properties"]["psi"]["anyOf"]


@pytest.mark.parametrize("name", STEP_PRESETS)
def test_a_plan_of_steps_has_a_name_too(name: str) -> None:
    steps = parse(small() + f"rollout: {{steps: {name}}}").rollout.steps
    assert steps[-1].kind == "promote"
    (canary,) = (step.canary for step in steps if step.canary is not None)
    assert (canary.weight, canary.min_s, canary.timeout_s) == (0.05, 3600, 3 * 3600)
    shadows = [step.shadow for step in steps if step.shadow is not None]
    assert [shadow.min_s for shadow in shadows] == ([48 * 3600] if name.startswith("shadow") else [])


def test_an_unknown_plan_of_steps_is_told_beside_an_unknown_limit() -> None:
    with pytest.raises(BadInput) as refused:
        parse(small() + "monitor: {psi: psi-0.30}\nrollout: {steps: careful}")
    told = str(refused.value)
    assert "rollout.steps: expected a list of steps, or one of shadow-48h-canary-5, canary-5, found careful" in told
    assert "monitor.psi" in told
    assert {"enum": list(STEP_PRESETS)} in service_schema()["$defs"]["Rollout"]["properties"]["steps"]["anyOf"]
