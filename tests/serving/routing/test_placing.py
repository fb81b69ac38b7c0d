"""Laws of who meets which arm: sticky, monotone in the weight, to 0.01 %; rules hold whatever the weight; a tester is
never counted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.serving.parts import CANDIDATE, CHAMPION, SPLITS, Told, gateway, routing, row, service, split

from flyball.core.cohorts import Cohorts, RoutingRule
from flyball.core.errors import BadInput
from flyball.core.prediction import PredictionRecord
from flyball.serving.gateway import Gateway
from flyball.serving.protocols.terms import PLAIN, Terms
from flyball.serving.routing.assign import bucket, owners
from flyball.serving.routing.placing import Placing, as_text

ONLY_DE = Cohorts(
    rules=(
        RoutingRule(arm="champion", header="x-tenant", in_=("acme",)),
        RoutingRule(arm="candidate", header="x-tenant", in_=("beta",)),
        RoutingRule(arm="split", column="items", in_=(1, 2)),
        RoutingRule(arm="champion"),
    ),
    override=True,
)
HEADERS = st.sampled_from([{}, {"x-tenant": "acme"}, {"x-tenant": "beta"}, {"x-tenant": "else"}])
UNITS = st.integers(0, 10_000).map(lambda number: f"c{number}")


def made(cohorts: Cohorts = ONLY_DE) -> Gateway:
    return gateway(replace(service(), routing=cohorts))


def answered(gate: Gateway, *rows: dict[str, Any], terms: Terms = PLAIN, sick: bool = False) -> list[PredictionRecord]:
    batch, asks = gate.begin(list(rows), request_id="r", at=[1.0] * len(rows), terms=terms)
    models: dict[str, Told] = {CHAMPION: Told(CHAMPION, failing=False), CANDIDATE: Told(CANDIDATE, failing=sick)}
    while asks := asks or gate.stand_ins(batch):
        for ask in asks:
            gate.take(batch, ask, models[ask.release].predict(ask.rows))
        asks = []
    return gate.finish(batch, ended=0.0)


@given(UNITS, st.integers(0, 3), HEADERS, st.lists(st.integers(0, 10_000), min_size=2, max_size=2))
def test_an_arm_is_sticky_and_grows_with_the_weight_within_the_rules(
    unit: str, items: int, headers: dict[str, str], weights: list[int]
) -> None:
    low, high = sorted(weights)
    gate = made()
    arms = []
    for epoch, weight in enumerate((low, high)):
        gate.route(routing(previous=None, weight=weight, epoch=epoch))
        terms = Terms(headers=headers)
        (one,) = answered(gate, row(unit, items=items), terms=terms)
        (again,) = answered(gate, row(unit, items=items), terms=terms)
        assert one.arm == again.arm
        assert not one.excluded
        arms.append(one.arm)
        tenant = headers.get("x-tenant")
        if tenant == "acme" or (tenant != "beta" and items not in (1, 2)):
            assert one.arm == "champion"
        elif tenant == "beta":
            assert one.arm == ("candidate" if weight else "champion")
    assert arms != ["candidate", "champion"]


@given(st.lists(st.tuples(UNITS, st.integers(0, 3), HEADERS), min_size=1, max_size=60))
def test_only_rows_that_the_weight_decided_are_compared(events: list[tuple[str, int, dict[str, str]]]) -> None:
    table = routing(previous=None, weight=5000)
    gate = made()
    gate.route(table)
    split = set()
    for unit, items, headers in events:
        answered(gate, row(unit, items=items), terms=Terms(headers=headers))
        if headers.get("x-tenant") not in ("acme", "beta") and items in (1, 2):
            split.add(unit)
    counts = gate.accounting.counts(table)
    assert counts.champion.units + counts.candidate.units == len(split)
    assert (counts.champion.errors, counts.candidate.errors) == (0, 0)


def test_errors_of_a_cohort_that_was_given_to_the_candidate_count_against_it_and_in_no_test() -> None:
    table = routing(previous=None, weight=1)
    gate = made()
    gate.route(table)
    for number in range(30):
        answered(gate, row(f"c{number}", items=13), terms=Terms(headers={"x-tenant": "beta"}), sick=True)
    counts = gate.accounting.counts(table)
    assert (counts.candidate.errors, counts.candidate.requests, counts.candidate.units) == (30, 0, 0)
    assert counts.rollout_tests.errors == 0.0
    assert counts.champion.requests == 0


def test_a_weight_of_one_in_ten_thousand_takes_one_bucket() -> None:
    gate = made(Cohorts())
    mine = next(f"c{i}" for i in range(200_000) if bucket("ro-1", f"c{i}") == 0)
    next_one = next(f"c{i}" for i in range(200_000) if bucket("ro-1", f"c{i}") == 1)
    gate.route(routing(previous=None, weight=1))
    assert [record.arm for record in answered(gate, row(mine), row(next_one))] == ["candidate", "champion"]


@pytest.mark.parametrize("arm", ["champion", "candidate"])
def test_a_testers_rows_are_answered_by_the_arm_of_his_choice_and_counted_nowhere(arm: Any) -> None:
    table = routing(previous=None, weight=0, shadow=0.0)
    gate = made()
    gate.route(table)
    before = gate.accounting.counts(table)
    found = answered(gate, row(items=13), row("d"), terms=Terms(arm=arm), sick=True)
    assert {record.arm for record in found} == {arm}
    assert all(record.excluded for record in found)
    assert gate.accounting.counts(table) == before


def test_a_choice_that_nobody_offers_is_refused() -> None:
    gate = made(Cohorts())
    gate.route(routing(previous=None, weight=100))
    with pytest.raises(BadInput, match="override"):
        gate.begin([row()], request_id="r", at=[1.0], terms=Terms(arm="candidate"))
    gate = made()
    gate.route(routing(previous=None, candidate=None))
    with pytest.raises(BadInput, match="no candidate"):
        gate.begin([row()], request_id="r", at=[1.0], terms=Terms(arm="candidate"))


def test_values_are_compared_as_they_are_written() -> None:
    placing = Placing(Cohorts(rules=(RoutingRule(arm="champion", column="x", in_=(1, True, "de", 0.5)),)))
    fits: list[Any] = [1, 1.0, "1", True, "true", "de", 0.5]
    others: list[Any] = [None, 0, False, "DE", 2]
    assert placing.places([{"x": value} for value in fits], {}) == ["champion"] * len(fits)
    assert placing.places([{"x": value} for value in others], {}) == ["split"] * len(others)
    assert as_text(False) == "false"


@given(st.lists(st.tuples(UNITS, st.integers(0, 3), HEADERS), min_size=1, max_size=60), SPLITS)
def test_rules_keep_rows_out_of_an_ab_test_and_the_rest_are_split_by_their_bucket(
    events: list[tuple[str, int, dict[str, str]]], weights: tuple[int, ...]
) -> None:
    table = split(*weights)
    gate, arms = made(), owners(table.arms)
    gate.route(table)
    models: dict[str, Told] = {
        root: Told(root, failing=False) for root in [CHAMPION, *(arm.release for arm in table.arms)]
    }
    units: dict[str, set[str]] = {}
    for unit, items, headers in events:
        batch, asks = gate.begin([row(unit, items=items)], request_id="r", at=[1.0], terms=Terms(headers=headers))
        for ask in asks:
            gate.take(batch, ask, models[ask.release].predict(ask.rows))
        (record,) = gate.finish(batch, ended=0.0)
        compared = headers.get("x-tenant") not in ("acme", "beta") and items in (1, 2)
        own = arms[bucket(table.salt, unit)]
        assert record.arm == (own if compared else "champion")
        assert record.release == next((arm.release for arm in table.arms if arm.name == record.arm), CHAMPION)
        assert gate.arms_of([row(unit, items=items)], ["r"]) == [own if items in (1, 2) else "champion"]
        if compared:
            units.setdefault(own, set()).add(unit)
    counts = gate.accounting.counts(table)
    assert {each.name: each.step.units for each in counts.arms if each.step.units} == {
        name: len(found) for name, found in units.items()
    }
    assert (counts.champion.units, counts.candidate.units) == (0, 0)


def test_a_tester_may_choose_an_arm_of_an_ab_test_that_is_loaded() -> None:
    gate = made()
    gate.route(table := split(100, 0))
    batch, (ask,) = gate.begin([row()], request_id="r", at=[1.0], terms=Terms(arm="b"))
    assert (ask.release, batch.excluded) == (table.arms[0].release, True)
    for absent in ("c", "candidate", "nobody"):
        with pytest.raises(BadInput, match="expected champion or b, found"):
            gate.begin([row()], request_id="r", at=[1.0], terms=Terms(arm=absent))
