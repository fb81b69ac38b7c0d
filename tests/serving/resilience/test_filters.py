"""Safety filters: what fires, what becomes of the row, and that nothing of it is charged to an arm."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CHAMPION, CONSTANT, CONTRACT, Told, checker, routing, row, service
from tests.serving.stage import SERVICE, stage, until

from flyball.core.declared.serving import ClassRate, Filter
from flyball.core.prediction import PredictionRecord
from flyball.serving.admit import complaint
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import in_memory
from flyball.serving.gateway import Gateway
from flyball.serving.identity import PredictionIds
from flyball.serving.protocols.plain import status_of
from flyball.serving.redact import redactor
from flyball.serving.resilience.filters import Filters

KINDS = {column.name: column.kind for column in CONTRACT.columns if column.name != "fraud"}


def filtered(*filters: Filter, fallback: tuple[Any, ...] = ("previous", CONSTANT)) -> Gateway:
    core = Gateway(
        service(filters=filters, fallback=fallback),
        checker(),
        Accounting(in_memory()),
        PredictionIds("shop", b"s", b"boot"),
        redactor(tuple(KINDS), frozenset(), b"s"),
        kinds=KINDS,
    )
    core.route(routing(weight=0, previous=None))
    return core


def record(core: Gateway, **changes: Any) -> PredictionRecord:
    models: dict[str, Told] = {CHAMPION: Told(CHAMPION)}
    (found,), _ = core.answer([row(**changes)], models, [1.0], "r")
    return found


def on_row(verdict: str, **condition: Any) -> Filter:
    return Filter(name="f", on="row", verdict=verdict, **condition)  # type: ignore[arg-type]


def on_answer(verdict: str, **condition: Any) -> Filter:
    return Filter(name="f", on="answer", verdict=verdict, **condition)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "fires", "passes"),
    [
        ({"column": "amount", "max": 500.0}, {"amount": 501.0}, {"amount": 500.0}),
        ({"column": "amount", "min": 5}, {"amount": 4}, {"amount": 5.0}),
        ({"column": "card", "deny": ("bad",)}, {"card": "bad"}, {"card": "good"}),
        ({"column": "card", "allow": ("good", "better")}, {"card": "bad"}, {"card": "better"}),
        ({"column": "items", "deny": (3,)}, {"items": 3}, {}),
        ({"when": 'row.amount > 100.0 && row.card != "vip"'}, {"amount": 101}, {"amount": 101, "card": "vip"}),
        ({"when": "row.items > 3"}, {"items": 4}, {}),  # what is not there fires nothing
    ],
)
def test_what_fires_on_a_row(condition: dict[str, Any], fires: dict[str, Any], passes: dict[str, Any]) -> None:
    core = filtered(on_row("reject", **condition))
    told = record(core, **fires)
    assert (told.outcome, told.reason, told.error) == ("rejected", "filter: f", False)
    assert status_of([told]) == 400
    told = record(core, **passes)
    assert (told.outcome, told.reason) == ("answered", None)
    assert core.filters is not None
    assert core.filters.fired == {"f": 1}


@pytest.mark.parametrize(
    ("verdict", "outcome", "fallback", "score"),
    [
        ("reject", "rejected", None, None),
        ("fall_back", "quarantined", "constant", 0.0),
        ("clamp", "answered", None, 0.5),
        ("review", "answered", None, 0.9),
    ],
)
def test_what_becomes_of_a_row(verdict: str, outcome: str, fallback: str | None, score: float | None) -> None:
    core = filtered(on_row(verdict, column="amount", max=500.0))
    told = record(core, amount=900.0)
    assert (told.outcome, told.fallback, told.score, told.error) == (outcome, fallback, score, False)
    assert told.reason == "filter: f"
    if verdict == "clamp":
        assert told.features["amount"] == 500.0  # what the model saw


@pytest.mark.parametrize(
    ("verdict", "outcome", "fallback", "score"),
    [
        ("reject", "failed", None, None),
        ("fall_back", "fallback", "constant", 0.0),
        ("clamp", "answered", None, 0.5),
        ("review", "answered", None, 0.9),
    ],
)
def test_what_becomes_of_an_answer_and_that_the_arm_is_not_charged(
    verdict: str, outcome: str, fallback: str | None, score: float | None
) -> None:
    core = filtered(on_answer(verdict, max=0.5))
    told = record(core, amount=900.0)
    assert (told.outcome, told.fallback, told.score, told.error, told.reason) == (
        outcome,
        fallback,
        score,
        False,
        "filter: f",
    )
    assert status_of([told]) == (422 if verdict == "reject" else 200)
    assert record(core, amount=400.0).reason is None
    counts = core.observe().counts
    assert counts is not None
    assert (counts.champion.requests, counts.champion.errors) == (2, 0)


def test_a_client_is_told_the_name_of_the_filter_once() -> None:
    filters = Filters([on_row("reject", column="amount", max=500.0)], KINDS, [])
    _, (verdict,), _ = filters.before([row(amount=900.0)], [None])
    assert verdict is not None
    assert complaint(verdict) == "f: this filter does not let the row pass"


def test_a_fall_back_with_nobody_behind_it_withholds_the_answer() -> None:
    core = filtered(on_answer("fall_back", when="score > 0.5 && row.amount > 1.0"), fallback=("previous",))
    told = record(core, amount=900.0)
    assert (told.outcome, told.prediction, told.reason) == ("failed", None, "filter: f")


def test_a_constant_is_not_filtered() -> None:
    core = filtered(on_answer("reject", allow=(1,)))
    (told,), _ = core.answer([row()], {}, [1.0], "r")
    assert (told.outcome, told.fallback, told.prediction) == ("fallback", "constant", 0)


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_class_that_is_too_frequent_fires_in_a_full_window_only(others: int, mine: int) -> None:
    rate = ClassRate(prediction=1, max_share=0.5, window_rows=20)
    core = filtered(on_answer("review", rate=rate))
    assert core.filters is not None
    share = core.filters._rates["f"]
    said = [0] * others + [1] * mine
    fired = [share.beyond(one, counted=True) for one in said]
    for place, fires in enumerate(fired):
        window = said[max(0, place - 19) : place + 1]
        assert fires == (said[place] == 1 and len(window) == 20 and sum(window) > 10)


def test_probes_do_not_move_the_rate_of_a_class() -> None:
    core = filtered(on_answer("review", rate=ClassRate(prediction=1, max_share=0.5, window_rows=10)))
    assert core.filters is not None
    for counted in (False, True):
        fired = [core.filters._rates["f"].beyond(1, counted=counted) for _ in range(10)]
        assert fired == [False] * 9 + [counted]


def test_the_order_is_that_of_the_declaration_and_the_first_word_on_a_row_stands() -> None:
    moved = Filter(name="moved", on="row", verdict="clamp", column="amount", max=500.0)
    wide = Filter(name="wide", on="row", verdict="reject", column="amount", max=600.0)
    assert record(filtered(moved, wide), amount=900.0).reason == "filter: moved"
    assert record(filtered(wide, moved), amount=900.0).outcome == "rejected"


@given(st.permutations(range(6)), st.integers(1, 6))
def test_marks_stay_with_their_rows_when_a_batch_is_parted(places: list[int], size: int) -> None:
    core = filtered(on_row("review", column="amount", max=500.0), on_answer("reject", when="row.items == 7"))
    rows = [row(card=f"c{i}", amount=900.0 if i % 2 else 1.0, items=7 if i % 3 == 0 else 1) for i in range(6)]
    batch, (ask,) = core.begin(rows, request_id="r", at=[1.0] * 6)
    core.take(batch, ask, Told(CHAMPION).predict(ask.rows))
    whole = core.finish(batch, ended=0.0)
    chosen = places[:size]
    parted = core.finish(batch.part(chosen), ended=0.0)
    assert [(told.id, told.reason, told.outcome) for told in parted] == [
        (whole[place].id, whole[place].reason, whole[place].outcome) for place in chosen
    ]


def test_a_gateway_filters_caches_and_marks_what_it_did(tmp_path: Path) -> None:
    declared = SERVICE.replace(
        "  fallback:",
        "  cache: {max_rows: 10, answers: true}\n"
        "  filters:\n"
        "    - {name: big, on: row, verdict: reject, column: amount, max: 500}\n"
        "    - {name: sure, on: answer, verdict: clamp, max: 0.7}\n"
        "    - {name: odd, on: answer, verdict: reject, when: 'row.items == 7'}\n"
        "  fallback:",
    )
    with stage(tmp_path, declared=declared) as made:
        made.release(CHAMPION, score=0.9)
        made.start()
        made.control.apply("first", routing(previous=None, candidate=None, rollout=None, guardrails=None, step=None))
        assert [made.predict(row())[0]["score"] for _ in range(2)] == [0.7, 0.7]
        assert made.ask("POST", "/v1/services/shop/predict", row(amount=900.0))[0] == 400
        status, answer = made.ask("POST", "/v1/services/shop/predict", row(items=7))
        assert (status, answer["error"]) == (422, "no answer: filter: odd")
        probe = made.ask("POST", "/v1/services/shop/predict", row(card="p"), **{"X-Flyball-Probe": "1"})
        assert probe[0] == 200
        _, text = made.ask("GET", "/metrics")
        assert 'flyball_filtered_rows_total{filter="sure",service="shop"} 4.0' in text
        until(lambda: made.log_counts()["written"] == 5, "the log has all rows")
        counts = made.control.observe("shop").counts
        assert counts is not None
        assert (counts.champion.requests, counts.champion.errors) == (2, 0), (
            "the cached row is no exposure, nor is the probe"
        )
