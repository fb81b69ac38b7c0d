"""A relief: the champion is spared and its rows are answered all the same; low priority is shed evenly; both end."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CHAMPION, CONSTANT, PREVIOUS, Told, gateway, routing, row, service

from flyball.core.declared.serving import Overload
from flyball.core.prediction import PredictionRecord, Predictor
from flyball.core.record import Record
from flyball.core.routing import Relief, Routing
from flyball.serving.gateway import Gateway
from flyball.serving.resilience.overload import Overloads
from flyball.serving.routing.lowering import lowers
from flyball.serving.routing.relieving import Relieving

ALONE: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None, "salt": ""}
UNTIL = "1970-01-01T01:00:00.000000Z"  # 3600 s
MODELS: dict[str, Predictor] = {CHAMPION: Told(CHAMPION), PREVIOUS: Told(PREVIOUS)}
SICK = row(items=13)  # whom every model that fails at all fails on


def relieved(relief: Relief | None, *, fallback: Any = ("previous", CONSTANT)) -> Gateway:
    core = gateway(service(fallback=fallback))
    core.route(routing(**ALONE) if relief is None else routing(relief_=relief, **ALONE))
    return core


def answered(core: Gateway, one: dict[str, Any], *, at: float = 1.0) -> PredictionRecord:
    (record,), _ = core.answer([one], MODELS, [at], "r")
    return record


def test_the_chain_answers_in_place_of_the_champion_and_the_row_stays_its_row() -> None:
    record = answered(relieved(Relief(fall_back=True)), row())
    assert (record.arm, record.release, record.answered_by) == ("champion", CHAMPION, PREVIOUS)
    assert (record.outcome, record.fallback, record.reason) == ("fallback", "previous", "relief")
    assert not record.error  # nobody asked it


def test_what_is_spared_counts_neither_for_nor_against_the_champion() -> None:
    core = relieved(Relief(fall_back=True))
    for _ in range(10):
        answered(core, row())
    counts = core.observe().counts
    assert counts is not None
    assert (counts.champion.requests, counts.champion.errors) == (0, 0)


def test_where_releases_do_not_help_only_rules_and_constants_are_asked() -> None:
    record = answered(relieved(Relief(fall_back=True, releases=False)), row())
    assert (record.fallback, record.prediction, record.answered_by) == ("constant", 0, None)


def test_a_chain_of_releases_asks_the_champion_last_since_some_answer_may_be_one() -> None:
    core = relieved(Relief(fall_back=True), fallback=("previous",))
    healthy: dict[str, Predictor] = {CHAMPION: Told(CHAMPION, failing=False), PREVIOUS: Told(PREVIOUS)}
    (record,), _ = core.answer([SICK], healthy, [1.0], "r")
    assert (record.outcome, record.answered_by, record.error) == ("fallback", CHAMPION, False)


def test_a_pinned_version_is_asked_as_it_was_named() -> None:
    core = relieved(Relief(fall_back=True))
    batch, asks = core.begin([row()], request_id="r", at=[1.0], pinned=CHAMPION)
    assert [ask.release for ask in asks] == [CHAMPION]
    assert not batch.spared(0)


def test_a_relief_ends_by_itself_when_its_time_is_over() -> None:
    core = relieved(Relief(fall_back=True, until=UNTIL))
    assert answered(core, row(), at=3599.0).outcome == "fallback"
    assert answered(core, row(), at=3601.0).outcome == "answered"


def test_a_relief_is_in_force_at_once_since_it_names_no_other_release() -> None:
    held = routing(**ALONE)
    ordered = routing(**ALONE | {"epoch": 2}, relief_=Relief(fall_back=True))
    assert lowers(held, ordered)
    assert lowers(ordered, held)


def test_a_table_without_a_relief_reads_as_it_did_and_one_with_it_is_refused_by_older_gateways() -> None:
    class Older(Record):
        """The table as a gateway from before there was a relief knows it."""

        service: str
        epoch: int
        champion: str
        previous: str | None = None
        candidate: str | None = None
        weight: int = 0
        shadow: float = 0.0
        salt: str = ""
        rollout: str | None = None
        step: int | None = None
        guardrails: Any = None

    plain, relief = routing(**ALONE), routing(**ALONE, relief_=Relief(shed=0.5))
    assert msgspec.json.decode(msgspec.json.encode(plain), type=Older).champion == CHAMPION
    assert msgspec.json.decode(msgspec.json.encode(relief), type=Routing) == relief
    with pytest.raises(msgspec.ValidationError, match="relief"):
        msgspec.json.decode(msgspec.json.encode(relief), type=Older)


@given(st.floats(0.0, 1.0), st.integers(1, 400))
def test_the_shed_share_is_the_declared_one_within_one_request(share: float, requests: int) -> None:
    relieving = Relieving()
    relieving.order(routing(**ALONE, relief_=Relief(shed=share)))
    shed = sum(relieving.turns_away(1.0) for _ in range(requests))
    assert abs(shed - share * requests) <= 1.0 + 1e-6


def test_only_low_priority_is_shed_by_a_relief_and_it_is_told_to_come_back() -> None:
    relieving = Relieving()
    relieving.order(routing(**ALONE, relief_=Relief(shed=1.0)))
    gate = Overloads(Overload(), deadline_s=1.0)
    asked = [gate.refusal(CHAMPION, rank, 1, 0.0, lambda: relieving.turns_away(1.0)) for rank in ("live", "low", None)]
    assert asked == [None, "priority", None]
    assert gate.shed["low"] == 1
    assert gate.retry_after_s >= 1
