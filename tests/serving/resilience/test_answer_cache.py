"""Answers of before: bounded, for a time, of the same release and row only."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CANDIDATE, CHAMPION, Told, gateway, routing, row, with_links

from flyball.core.declared.serving import AnswerCache as Declared
from flyball.core.prediction import Answer, ArmReply, Predictor
from flyball.serving.resilience.answer_cache import AnswerCache

KINDS = {"card": "string", "amount": "number", "items": "integer"}
ROW = {"card": "c1", "amount": 5, "items": 2}


def learned(cache: AnswerCache, given_row: dict[str, object], at: float = 0.0, score: float = 0.5) -> None:
    core = gateway()
    core.route(routing(candidate=None))
    batch, (ask,) = core.begin([given_row], request_id="r", at=[at])
    core.take(batch, ask, ArmReply(answers=(Answer(prediction=1, score=score),), service_ms=1.0))
    cache.learn(batch)


def cache(**declared: object) -> AnswerCache:
    return AnswerCache(Declared(**({"max_rows": 10} | declared)), KINDS, b"k" * 16)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 30), max_size=100), st.integers(1, 10))
def test_it_never_holds_more_than_declared_and_says_only_what_was_said(cards: list[int], most: int) -> None:
    kept = cache(max_rows=most)
    for at, card in enumerate(cards):
        learned(kept, ROW | {"card": f"c{card}"}, float(at), card / 100)
        assert len(kept) <= most
    for card in range(31):
        found = kept.get(CHAMPION, ROW | {"card": f"c{card}"}, float(len(cards)))
        assert found is None or found.score == card / 100
        assert kept.get(CANDIDATE, ROW | {"card": f"c{card}"}, 0.0) is None


def test_the_same_values_are_the_same_row_however_they_are_written() -> None:
    kept = cache()
    learned(kept, ROW)
    for same in (
        {"items": 2, "amount": 5.0, "card": "c1"},
        ROW | {"items": 2.0},
        ROW | {"unknown to the contract": 1},
    ):
        assert kept.get(CHAMPION, same, 0.0) is not None
    for other in (ROW | {"amount": 5.1}, ROW | {"card": "c2"}, {"card": "c1", "amount": 5}, ROW | {"items": None}):
        assert kept.get(CHAMPION, other, 0.0) is None


def test_numbers_that_are_not_finite_are_rows_of_their_own_and_large_ones_are_kept() -> None:
    rows: list[dict[str, object]] = [ROW | {"amount": float(text)} for text in ("inf", "-inf", "nan")]
    rows += [ROW | {"items": 2**70}, ROW | {"items": -(2**70)}, ROW | {"items": True}, ROW | {"card": "\ud800"}]
    kept = cache()
    assert len({kept._named(CHAMPION, one) for one in rows}) == len(rows)
    assert [kept._named(CHAMPION, dict(one)) for one in rows] == [kept._named(CHAMPION, one) for one in rows]


def test_an_answer_is_used_for_a_time() -> None:
    kept = cache(ttl_s=10.0)
    learned(kept, ROW, at=100.0)
    assert kept.get(CHAMPION, ROW, 110.0) is not None
    assert kept.get(CHAMPION, ROW, 110.1) is None
    assert len(kept) == 0


def test_no_value_of_a_row_is_in_memory() -> None:
    kept = cache()
    learned(kept, ROW | {"card": "4929-secret"})
    assert b"secret" not in msgspec.msgpack.encode(repr(kept._entries))


class _Counting(Told):
    def __init__(self, release: str) -> None:
        super().__init__(release)
        self.asked: list[int] = []

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        self.asked.append(len(rows))
        return super().predict(rows)


@pytest.mark.parametrize("answers", [False, True])
def test_equal_rows_are_answered_without_asking_again_where_that_is_declared(answers: bool) -> None:
    core, model = with_links((), Declared(max_rows=10, answers=answers)), _Counting(CHAMPION)
    core.answer([row()], {CHAMPION: model}, [1.0], "r")
    records, _ = core.answer([row(), row(card="c2")], {CHAMPION: model}, [1.0, 1.0], "r")
    assert {(record.outcome, record.answered_by) for record in records} == {("answered", CHAMPION)}
    assert [record.reason for record in records] == (["cached", None] if answers else [None, None])
    assert model.asked == ([1, 1] if answers else [1, 2])


def test_a_stand_ins_answer_is_not_kept_as_the_arms_own() -> None:
    core = with_links(("previous", "cached"), Declared(max_rows=10))
    core.route(routing(weight=10_000))
    records, _ = core.answer([row()], {CHAMPION: Told(CHAMPION)}, [1.0], "r")
    assert records[0].fallback == "previous"
    records, _ = core.answer([row()], {}, [1.0], "r")
    assert records[0].outcome == "failed"


@pytest.mark.parametrize("weight", [0, 5000])
def test_a_row_that_the_cache_answered_is_no_exposure_of_an_arm_that_could_not_err_at_it(weight: int) -> None:
    core, model = with_links((), Declared(max_rows=10, answers=True)), Told(CHAMPION, failing=False)
    core.route(routing(weight=weight, shadow=1.0))
    models: dict[str, Predictor] = {CHAMPION: model, CANDIDATE: Told(CANDIDATE, failing=False)}
    for _ in range(20):
        _, shown = core.answer([row(card="c1"), row(card="c2")], models, [1.0, 1.0], "r")
    counts = core.observe().counts
    assert counts is not None
    assert counts.champion.requests + counts.candidate.requests == 2  # the first two; nobody was asked again
    assert counts.champion.units + counts.candidate.units == 2
    assert shown == [], "a shadow has no pair in what the champion was not asked"
    assert counts.shadow.requests <= 2
