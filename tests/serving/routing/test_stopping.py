"""What a gateway does by itself about the arms of an A/B test: the bad one goes, nobody else notices."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.serving.parts import SPLITS, Told, gateway, row, split
from tests.serving.parts import routing as rollout

from flyball.core.ids import Epoch, RolloutId
from flyball.core.routing import WHOLE, Routing, StepCounts, Stopped, Verdict
from flyball.decide.rollout import judge
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import SLOT_BYTES, Slot
from flyball.serving.gateway import Gateway
from flyball.serving.routing.assign import owners
from flyball.serving.routing.beside_champion import beside_champion
from flyball.serving.routing.stopping import counted, effective, told_to_stop

BAD = st.sets(st.sampled_from("bcd"))


def blaming(*arms: str) -> "Blaming":
    return Blaming(arms)


class Blaming:
    """A judge that rolls these arms back, by their release, and no other."""

    def __init__(self, arms: tuple[str, ...]) -> None:
        self._releases = {arm.release for arm in split(1, 1, 1).arms if arm.name in arms}

    def __call__(self, routing: Routing, counts: StepCounts) -> Verdict:
        assert routing.arms == ()
        bad = routing.candidate in self._releases
        return Verdict(kind="ROLL_BACK" if bad else "HOLD", reason="bad", cause="errors" if bad else "none")


def stopped(table: Routing, *arms: str, before: Stopped | None = None) -> Stopped | None:
    return told_to_stop(
        blaming(*arms),
        table,
        before,
        counts=lambda counted: gateway_of(counted).accounting.counts(counted),
        first=lambda _: None,
        at=1.0,
    )


def gateway_of(table: Routing) -> Gateway:
    made = gateway()
    made.route(table)
    return made


@given(SPLITS, BAD)
def test_the_buckets_of_a_stopped_arm_go_to_the_champion_and_every_other_stays(
    weights: tuple[int, ...], bad: set[str]
) -> None:
    table = split(*weights)
    found = stopped(table, *bad)
    assert (found is not None) == bool(bad)
    after = owners(effective(table, found).arms)
    for old, new in zip(owners(table.arms), after, strict=True):
        assert new == ("champion" if old in bad else old)
    assert [arm.name for arm in effective(table, found).arms] == [arm.name for arm in table.arms]


@given(SPLITS, BAD, BAD)
def test_an_arm_is_stopped_once_and_those_before_it_stay_so(
    weights: tuple[int, ...], first: set[str], then: set[str]
) -> None:
    table = split(*weights)
    before = stopped(table, *first)
    after = stopped(table, *(first | then), before=before)
    assert (after is None) == (then <= first)
    if before is not None and after is not None:
        assert after.arms[: len(before.arms)] == before.arms
        assert len({each.arm for each in after.arms}) == len(after.arms)


def test_a_stopped_arm_gets_no_weight_again_in_its_test_and_may_in_another() -> None:
    made = gateway_of(split(3000, 3000))
    made.ask_judge(blaming("b"), at=1.0)
    grown = split(4000, 3000, epoch=Epoch(2))
    made.route(grown)
    assert made.routing is not None
    assert [arm.weight for arm in made.routing.arms] == [0, 3000]
    other = split(4000, 3000, epoch=Epoch(3), rollout=RolloutId("ab-2"))
    made.route(other)
    assert made.routing == other


def test_without_authority_nobody_is_stopped_and_a_rollout_is_judged_as_before() -> None:
    assert stopped(split(1000, guardrails=None), "b") is None
    table = rollout(weight=1000)
    found = told_to_stop(
        lambda *_: Verdict(kind="ROLL_BACK", reason="bad", cause="errors"),
        table,
        None,
        counts=lambda _: StepCounts(service=table.service, epoch=1, rollout=table.rollout, step=1),
        first=lambda _: 0.5,
        at=1.0,
    )
    assert found is not None
    assert (found.arms, found.seconds, effective(table, found).weight) == ((), 0.5, 0)
    assert counted(table, found) == table


def test_each_arm_has_its_part_of_the_error_budget_and_no_limit_of_its_own_errors() -> None:
    table = split(1000, 1000, 1000, 1000)
    assert table.guardrails is not None
    two, _ = beside_champion(table, gateway_of(table).accounting.counts(table), "c")
    assert two.guardrails is not None
    assert two.guardrails.alpha == table.guardrails.alpha / 4
    assert two.guardrails.max_errors > 1e15
    assert (two.candidate, two.weight) == (table.arms[1].release, WHOLE)


def test_a_sick_arm_goes_by_its_own_answers_while_two_good_ones_go_on() -> None:
    table = split(2500, 2500, 2500)
    made = gateway_of(table)
    models = {root: Told(root, failing=root == table.arms[1].release) for root in _releases(table)}
    number = 0
    while (found := made.ask_judge(judge, at=float(number))) is None:
        number += 1
        made.answer([row(f"card-{number}", items=13)], models, [float(number)], f"r{number}")
        assert number < 2000
    assert [each.arm for each in found.arms] == ["c"]
    assert "arm c: " in found.verdict.reason
    records, _ = made.answer([row(f"more-{i}", items=13) for i in range(400)], models, [1e4] * 400, "r")
    assert {record.arm for record in records} == {"champion", "b", "d"}
    assert not any(record.error for record in records)
    seen = made.observe()
    assert seen.counts is not None
    arms = {each.name: each for each in seen.counts.arms}
    assert arms["c"].total.errors > 0
    assert arms["c"].step.requests == 0
    assert sum(each.step.units for each in arms.values()) == 400  # another step: another split is promised


def _releases(table: Routing) -> list[str]:
    return [table.champion, *(arm.release for arm in table.arms)]


def test_a_table_of_another_test_knows_nothing_of_the_stop() -> None:
    table = split(1000)
    found = stopped(table, "b")
    other = replace(table, rollout=RolloutId("ab-9"))
    assert effective(other, found) == other


def test_a_kill_before_the_stop_was_written_is_repaired_by_the_same_judgement() -> None:
    """The counts are in the slot, which outlives the process; the table on disk knows of no stop yet."""
    table, file = split(2500, 2500), bytearray(SLOT_BYTES)
    made = gateway(accounting=Accounting(Slot(file)))
    made.route(table)
    models = {root: Told(root, failing=root == table.arms[0].release) for root in _releases(table)}
    number = 0
    while (found := made.ask_judge(judge, at=1.0)) is None:
        number += 1
        made.answer([row(f"card-{number}", items=13)], models, [1.0], f"r{number}")
    again = gateway(accounting=Accounting(Slot(file)))
    again.route(table)
    repeated = again.ask_judge(judge, at=2.0)
    assert repeated is not None
    assert [(each.arm, each.verdict.cause) for each in repeated.arms] == [("b", "errors")]
    assert found.arms[0].verdict.numbers["log_e_errors"] == repeated.arms[0].verdict.numbers["log_e_errors"]
    assert again.routing is not None
    assert [arm.weight for arm in again.routing.arms] == [0, 2500]
