"""Policies of healing that can never act are told: of a column that is not there, and behind one that takes it all."""

import pytest
from msgspec.structs import replace
from tests.control.world import service

from flyball.contracts.declaration.healing_fit import healing_misfits
from flyball.contracts.declaration.healing_sense import of_healing
from flyball.core.contract import Column, DataContract
from flyball.core.declared.healing import DeclaredRemedy, Healing, HealingPolicy
from flyball.core.health import Severity, Sign, SignKind
from flyball.core.service import Service

T0 = "2026-11-27T00:00:00Z"

LABEL = service().data.label
COLUMNS = (Column(name="amount", kind="number"), Column(name=LABEL, kind="boolean"))
CONTRACT = DataContract(id="c", version="1.0.0", table="rows", columns=COLUMNS)


def policy(cause: str, **more: object) -> HealingPolicy:
    return HealingPolicy(cause=cause, remedies=(DeclaredRemedy(kind="page"),), **more)  # type: ignore[arg-type]


def hidden(*policies: HealingPolicy) -> list[object]:
    found = of_healing(Healing(policies=policies))
    return [path[2] for path, expected, _, _ in found if "no policy before it" in expected]


def test_the_policies_that_hold_where_nobody_says_otherwise_hide_none() -> None:
    assert list(of_healing(Healing())) == []


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        ((policy("errors"), policy("errors")), [1]),
        ((policy("drift"), policy("drift/amount")), [1]),
        ((policy("drift/amount"), policy("drift")), []),
        ((policy("drift/amount"), policy("drift/other")), []),
        ((policy("errors", when="incidents_today > 1"), policy("errors")), []),
        ((policy("errors"), policy("errors", when="incidents_today > 1")), [1]),
        ((policy("errors", least="critical"), policy("errors", least="warning")), []),
        ((policy("errors", least="warning"), policy("errors", least="critical")), [1]),
        ((policy("failed", least="failed"), policy("errors")), []),
        ((policy("failed"), policy("errors", least="failed")), [1]),
        ((policy("failed", when="incidents_today > 1"), policy("errors", least="failed")), []),
    ],
)
def test_one_behind_another_that_takes_all_of_it_is_told(policies: tuple[HealingPolicy, ...], told: list[int]) -> None:
    """Red before: `check` passed it, and it never did anything."""
    assert hidden(*policies) == told


def declared(*causes: str) -> Service:
    return replace(service(), healing=Healing(policies=tuple(map(policy, causes))))


def test_a_cause_of_a_column_that_does_not_come_is_told_with_the_nearest() -> None:
    """Red before: `check` passed `drift/amuont`."""
    (fault,) = healing_misfits(declared("drift/amuont", "drift/amount", "drift"), CONTRACT)
    assert fault.path == "healing.policies[0].cause"
    assert "amount" in fault.fix
    assert list(healing_misfits(declared("resources/memory", "errors"), CONTRACT)) == []


def test_answers_drift_as_columns_do_and_the_label_does_not() -> None:
    """Red before: the sign `drift/score` comes, and a policy about it was refused; one about the label was not."""
    causes = ("drift/prediction", "drift/score", "drift/top_score", f"drift/{LABEL}", "freshness/score")
    found = healing_misfits(declared(*causes), CONTRACT)
    assert [fault.found for fault in found] == [f"drift/{LABEL}", "freshness/score"]


def test_what_a_service_shows_can_have_a_policy() -> None:
    """Each key of a cause is one that a sign has."""
    for sign in (a_sign("drift", "score"), a_sign("resources", "disk"), a_sign("quality"), a_sign("data_quality")):
        assert list(of_healing(Healing(policies=(policy(sign.key, least="warning"),)))) == []
        assert list(healing_misfits(declared(sign.key), CONTRACT)) == []


@pytest.mark.parametrize(
    ("cause", "fix"),
    [
        ("data_quality/amount", "data_quality"),
        ("errors/amount", "errors"),
        ("quality/north", "quality"),
        ("upstream/orders", "upstream"),
        ("drift/", "drift"),
        ("resources/memroy", "did you mean memory?"),
    ],
)
def test_a_feature_that_no_sign_of_the_kind_has_is_told(cause: str, fix: str) -> None:
    """Red before: `check` passed them, and no cause has such a key."""
    ((path, _, found, told),) = of_healing(Healing(policies=(policy(cause, least="warning"),)))
    assert (path[-1], found) == ("cause", cause)
    assert fix in told


@pytest.mark.parametrize(
    ("cause", "least", "told"),
    [
        ("drift", "critical", "warning"),  # what holds where nobody says otherwise
        ("drift/amount", "critical", "warning"),
        ("latency", "failed", "warning"),
        ("resources/memory", "critical", "warning"),
        ("quality", "failed", "critical"),
        ("drift", "warning", None),
        ("resources", "critical", None),
        ("resources/disk", "critical", None),
        ("errors", "failed", None),
        ("upstream", "critical", None),
    ],
)
def test_a_policy_that_waits_for_a_graver_sign_than_ever_comes_is_told(
    cause: str, least: Severity, told: str | None
) -> None:
    """Red before: `cause: drift` without `least` waited for a critical sign, and drift is never more than a warning."""
    found = [finding[1:] for finding in of_healing(Healing(policies=(policy(cause, least=least),)))]
    assert found == (
        [] if told is None else [(f"at most {told}, for {cause} is never graver", least, f"least: {told}")]
    )


def a_sign(kind: SignKind, feature: str | None = None) -> Sign:
    return Sign(kind=kind, feature=feature, severity="warning", value=1.0, limit=0.5, since=T0, why="w", clears="c")
