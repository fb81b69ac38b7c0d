"""The core, as replay and HTTP use it: every row becomes one record, charged to the arm that it was assigned to."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serving.parts import CANDIDATE, CHAMPION, PREVIOUS, SECRET, Told, gateway, routing, row, service

from flyball.core.ids import Epoch, RolloutId
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.core.routing import Routing, StepCounts, Verdict
from flyball.decide.rollout import judge
from flyball.serving.gateway import Gateway
from flyball.serving.identity import service_of
from flyball.serving.protocols.terms import Terms
from flyball.serving.routing.assign import to_candidate, unit_hash

GOOD, BAD_VALUE, BAD_TYPE, THIRTEEN = row(), row(amount=-1.0), row(amount="x"), row(items=13)
KINDS = st.sampled_from(["good", "quarantine", "reject", "fail"])
ROWS: dict[str, dict[str, Any]] = {
    "good": {},
    "quarantine": {"amount": -1.0},
    "reject": {"amount": "x"},
    "fail": {"items": 13},
}


def predictors(**options: Any) -> dict[str, Told]:
    return {root: Told(root, **options) for root in (CHAMPION, CANDIDATE, PREVIOUS)}


def serving(declared: Any = None, **changes: Any) -> Gateway:
    core = gateway(declared)
    core.route(routing(**changes))
    return core


@given(st.lists(st.tuples(KINDS, st.integers(0, 30)), min_size=1, max_size=60), st.integers(0, 10_000))
@settings(max_examples=60)
def test_every_row_is_one_record_and_the_counts_are_exact(kinds: list[tuple[str, int]], weight: int) -> None:
    core = serving(weight=weight)
    rows = [row(card=f"c{card}") | ROWS[kind] for kind, card in kinds]
    records, _ = core.answer(rows, predictors(), [float(i) for i in range(len(rows))], "r")
    expected = {"good": "answered", "quarantine": "quarantined", "reject": "rejected", "fail": "fallback"}
    assert [record.outcome for record in records] == [expected[kind] for kind, _ in kinds]
    assert [record.error for record in records] == [kind == "fail" for kind, _ in kinds]
    assert [record.prediction for record in records] == [
        {"good": 1, "fail": 0, "reject": None, "quarantine": 1}[kind] for kind, _ in kinds
    ]
    counts = core.observe().counts
    assert counts is not None
    asked = [(kind, card) for kind, card in kinds if kind in ("good", "fail")]
    assert counts.champion.requests + counts.candidate.requests == len(asked)
    assert counts.candidate.requests == sum(to_candidate(unit_hash("ro-1", f"c{c}"), weight) for _, c in asked)
    assert counts.champion.errors + counts.candidate.errors == len({card for kind, card in asked if kind == "fail"})


def test_an_id_proves_that_it_was_issued_and_no_two_are_alike() -> None:
    records, _ = serving().answer([GOOD] * 100, predictors(), [1.0] * 100, "r")
    assert {service_of(record.id, SECRET) for record in records} == {"shop"}
    assert len({record.id for record in records}) == 100


def test_a_fallback_answer_is_marked_and_charged_to_the_assigned_arm() -> None:
    core = serving(weight=10_000)
    models = predictors(failing=False) | {CANDIDATE: Told(CANDIDATE)}
    (record,), _ = core.answer([THIRTEEN], models, [1.0], "r")
    assert (record.arm, record.release, record.outcome, record.fallback, record.error) == (
        "candidate",
        CANDIDATE,
        "fallback",
        "previous",
        True,
    )
    assert record.prediction == 1  # the champion said so, in the candidate's place
    counts = core.observe().counts
    assert counts is not None
    assert counts.candidate.errors == 1
    assert counts.champion.requests == 0


def test_the_chain_goes_previous_then_constant_then_no_answer() -> None:
    for declared, models, expected in (
        (None, predictors(failing=False) | {CHAMPION: Told(CHAMPION)}, ("fallback", "previous")),
        (None, predictors(), ("fallback", "constant")),
        (service(fallback=("previous",)), predictors(), ("failed", None)),
        (service(fallback=()), predictors(failing=False) | {CHAMPION: Told(CHAMPION)}, ("failed", None)),
    ):
        core = serving(declared)
        (record,), _ = core.answer([THIRTEEN], models, [1.0], "r")
        assert (record.outcome, record.fallback) == expected
        counts = core.observe().counts
        assert counts is not None
        assert counts.champion.failed == (expected[0] == "failed")


def test_a_release_that_is_not_loaded_is_dead_and_the_client_is_answered() -> None:
    records, _ = serving(weight=10_000).answer([GOOD], {CHAMPION: Told(CHAMPION)}, [1.0], "r")
    assert (records[0].error, records[0].reason, records[0].fallback) == (True, "dead", "previous")


@pytest.mark.parametrize(
    "wrong", [Answer(prediction=1, score=float("nan")), Answer(prediction=float("inf")), Failure(reason="invalid")]
)
def test_a_number_that_is_not_finite_is_no_answer(wrong: Answer | Failure) -> None:
    core = serving(previous=None)
    batch, (ask,) = core.begin([GOOD], request_id="r", at=[1.0])
    core.take(batch, ask, ArmReply(answers=(wrong,), service_ms=1.0))
    (record,) = core.finish(batch, ended=0.001)
    assert (record.error, record.fallback, record.score) == (True, "constant", 0.0)


def test_too_many_answers_are_none() -> None:
    core = serving(previous=None)
    batch, (ask,) = core.begin([GOOD], request_id="r", at=[1.0])
    core.take(batch, ask, ArmReply(answers=(Answer(prediction=1), Answer(prediction=1)), service_ms=1.0))
    assert core.finish(batch, ended=0.0)[0].reason == "invalid"


@pytest.mark.parametrize(("took_ms", "slow"), [(300.0, True), (100.0, False)])
def test_a_clients_request_that_takes_too_long_is_slow_in_each_of_its_rows(took_ms: float, slow: bool) -> None:
    core = serving(weight=0, shadow=1.0)  # the objective is 100 ms
    rows = [row(card=f"c{i}") for i in range(50)]
    batch, (ask,) = core.begin(rows, request_id="r", at=[1.0] * 50)
    reply = ArmReply(answers=(Answer(prediction=1, score=0.5),) * 50, service_ms=took_ms)
    core.take(batch, ask, reply)
    records = core.finish(batch, ended=1.0)
    assert {(record.slow, record.service_ms) for record in records} == {(slow, took_ms)}
    mirror = core.shadow(batch)
    assert mirror is not None
    assert {record.slow for record in core.shadow_done(batch, mirror, reply)} == {slow}


def test_rows_that_we_joined_share_the_call() -> None:
    core = serving(weight=0)
    models = predictors(service_ms=99.0)  # a row; the objective is 100
    records, _ = core.answer([row(card=f"c{i}") for i in range(50)], models, [1.0] * 50, "r")
    assert not any(record.slow for record in records)
    records, _ = core.answer([GOOD], predictors(service_ms=101.0), [1.0], "r")
    assert records[0].slow
    assert not records[0].error


def test_the_same_unit_has_the_same_arm_as_long_as_the_rollout_lasts() -> None:
    core = serving(weight=3000)
    arms = [core.answer([row(card="c9")], predictors(), [float(i)], f"r{i}")[0][0].arm for i in range(20)]
    assert len(set(arms)) == 1


def test_without_a_key_the_request_is_the_unit() -> None:
    core = serving(weight=5000)
    batch, _ = core.begin([{"amount": 1.0}, row(card="c")], request_id="req-7", at=[1.0, 1.0])
    assert batch.units == ["req-7", "c"]


def test_a_pinned_version_bypasses_the_arms_and_is_left_out() -> None:
    core = serving(weight=10_000)
    batch, asks = core.begin([GOOD, GOOD], request_id="r", at=[1.0, 1.0], pinned=PREVIOUS)
    assert [(ask.release, ask.role, ask.places) for ask in asks] == [(PREVIOUS, "pinned", (0, 1))]
    core.take(batch, asks[0], Failure(reason="dead"))
    assert core.stand_ins(batch) == []
    records = core.finish(batch, ended=0.0)
    assert [(r.excluded, r.outcome, r.release) for r in records] == [(True, "failed", PREVIOUS)] * 2
    counts = core.observe().counts
    assert counts is not None
    assert counts.candidate.requests == counts.champion.requests == 0


def test_a_shed_row_is_recorded_and_blames_nobody() -> None:
    core = serving(weight=5000)
    batch, asks = core.begin([GOOD], request_id="r", at=[1.0], shed=True)
    (record,) = core.finish(batch, ended=0.0)
    assert asks == []
    assert (record.outcome, record.error, record.slow) == ("shed", False, False)


def test_one_rejected_row_refuses_the_whole_where_there_is_no_place_for_an_error() -> None:
    core = serving()
    batch, asks = core.begin([GOOD, BAD_TYPE, BAD_VALUE], request_id="r", at=[1.0] * 3, whole=True)
    assert asks == []
    records = core.finish(batch, ended=0.0)
    assert [record.outcome for record in records] == ["rejected"] * 3


@pytest.mark.parametrize(
    ("declared", "changes", "pinned"),
    [
        (service(fallback=()), {}, None),
        (service(fallback=("previous",)), {"previous": None}, None),
        (None, {}, PREVIOUS),
    ],
)
def test_a_value_outside_the_contract_that_nobody_may_answer_is_the_clients_fault(
    declared: Any, changes: dict[str, Any], pinned: str | None
) -> None:
    core = serving(declared, **changes)
    batch, asks = core.begin([GOOD, BAD_VALUE], request_id="r", at=[1.0, 1.0], pinned=pinned)
    assert [ask.places for ask in asks] == [(0,)]
    core.take(batch, asks[0], Told(CHAMPION).predict(asks[0].rows))
    good, bad = core.finish(batch, ended=0.0)
    assert (good.outcome, bad.outcome, bad.arm, bad.error, bad.reason) == (
        "answered",
        "rejected",
        None,
        False,
        "range: amount",
    )
    _, asks = core.begin([GOOD, BAD_VALUE], request_id="r", at=[1.0, 1.0], pinned=pinned, whole=True)
    assert asks == []  # tensors have no place for its error: nothing is predicted


def test_a_value_outside_the_contract_whose_stand_in_fails_is_the_clients_fault_too() -> None:
    core = serving(service(fallback=("previous",)))
    (record,), _ = core.answer([BAD_VALUE], {CHAMPION: Told(CHAMPION)}, [1.0], "r")
    assert (record.outcome, record.error) == ("rejected", False)
    counts = core.observe().counts
    assert counts is not None
    assert counts.champion.requests == counts.champion.failed == 0


def test_rows_whose_step_has_ended_move_nothing_in_the_next() -> None:
    core = serving(weight=10_000)
    batch, (ask,) = core.begin([GOOD], request_id="r", at=[1.0])
    core.route(routing(weight=5000, step=2, epoch=Epoch(2)))
    core.take(batch, ask, Failure(reason="dead"))
    assert core.finish(batch, ended=0.0)[0].error
    counts = core.observe().counts
    assert counts is not None
    assert counts.candidate.requests == counts.candidate.errors == 0


def test_the_shadow_sees_what_the_champion_answered_and_is_compared() -> None:
    core = serving(weight=0, shadow=1.0, step=0)
    models: dict[str, Any] = predictors(failing=False)
    rows = [row(card=f"c{i}") for i in range(40)]
    records, shadows = core.answer(rows, models, [float(i * 60) for i in range(40)], "r")
    assert [shadow.id for shadow in shadows] == [record.id for record in records]
    assert {shadow.release for shadow in shadows} == {CANDIDATE}
    counts = core.observe().counts
    assert counts is not None
    assert (counts.pairs, counts.disagreements, counts.shadow.requests) == (40, 0, 40)


def test_a_quiet_service_mirrors_everything_and_a_busy_one_its_share() -> None:
    quiet, busy = serving(weight=0, shadow=0.05, step=0), serving(weight=0, shadow=0.05, step=0)
    rows = [row(card=f"c{i}") for i in range(400)]
    _, all_of_them = quiet.answer(rows, predictors(), [float(i) for i in range(400)], "r")
    _, some = busy.answer(rows, predictors(), [1.0 + i / 1000 for i in range(400)], "r")
    assert len(all_of_them) == 400
    assert 0 < len(some) < 60


def test_a_bad_candidate_is_stopped_by_the_gateway_alone_and_never_gets_weight_again() -> None:
    core = serving(weight=5000)
    models: dict[str, Any] = {CHAMPION: Told(CHAMPION, failing=False), CANDIDATE: Told(CANDIDATE)}
    stopped, served = None, 0
    while stopped is None and served < 500:
        core.answer([row(card=f"c{served}", items=13)], models, [float(served)], f"r{served}")
        stopped = core.ask_judge(judge, at=float(served))
        served += 1
    assert stopped is not None
    assert (stopped.verdict.kind, stopped.verdict.cause, stopped.rollout) == ("ROLL_BACK", "errors", "ro-1")
    assert stopped.counts.candidate.errors <= 40
    assert stopped.counts.candidate.failed == 0
    core.route(routing(weight=9000, step=2, epoch=Epoch(2)))
    assert core.routing is not None
    assert core.routing.weight == 0
    assert core.answer([row(card="c1")], models, [999.0], "r")[0][0].arm == "champion"
    core.route(routing(weight=9000, rollout=RolloutId("ro-2"), salt="ro-2", epoch=Epoch(3)))
    assert core.routing.weight == 9000


def test_a_verdict_that_is_not_roll_back_leaves_the_gateway_alone() -> None:
    core = serving(weight=5000)

    def promote(routing: Routing, counts: StepCounts) -> Verdict:
        return Verdict(kind="PROMOTE", reason="")

    assert core.ask_judge(promote, at=1.0) is None
    assert core.routing is not None
    assert core.routing.weight == 5000


def test_without_a_candidate_nobody_is_asked() -> None:
    core = serving(candidate=None, rollout=None, guardrails=None)

    def never(routing: Routing, counts: StepCounts) -> Verdict:
        raise AssertionError("there is nothing to judge")

    assert core.ask_judge(never, at=1.0) is None


def test_before_there_is_a_routing_the_answer_is_not_ready() -> None:
    with pytest.raises(LookupError, match="no release to serve"):
        gateway().begin([GOOD], request_id="r", at=[1.0])


def test_common_causes_blame_nobody() -> None:
    """Both arms fail alike: a lasting incident does not roll the candidate back by the statistics."""
    core = serving(service(fallback=()), weight=5000)
    log_e: list[float] = []
    for i in range(150):
        core.answer([row(card=f"c{i}", items=13)], predictors(), [float(i)], f"r{i}")
        assert core.ask_judge(judge, at=float(i)) is None
        counts = core.observe().counts
        assert isinstance(counts, StepCounts)
        log_e.append(counts.rollout_tests.errors)
    assert max(log_e) < 3.69
    assert Counter(x > 0 for x in log_e)[True] < 100


def test_a_probe_is_answered_and_recorded_and_moves_no_count_no_test_and_no_shadow() -> None:
    core = serving(weight=5000, shadow=1.0)
    rows = [row(card=f"c{i}", items=13 if i % 2 else 1) for i in range(20)]
    batch, asks = core.begin(rows, request_id="r", at=[1.0] * 20, terms=Terms(probe=True))
    while asks := asks or core.stand_ins(batch):
        for ask in asks:
            core.take(batch, ask, Told(ask.release).predict(ask.rows))
        asks = []
    records = core.finish(batch, ended=0.0)
    assert all(record.excluded and record.prediction is not None for record in records)
    assert core.shadow(batch) is None
    counts = core.observe().counts
    assert counts is not None
    assert counts.champion == counts.candidate == counts.shadow
    assert counts.champion.units == 0
