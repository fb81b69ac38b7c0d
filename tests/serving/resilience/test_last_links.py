"""The end of the fallback chain: an answer of before, a rule, a constant, each marked with its name."""

from collections.abc import Mapping
from typing import Any

from tests.serving.parts import CANDIDATE, CHAMPION, CONSTANT, Told, routing, row, with_links

from flyball.core.declared.serving import AnswerCache as DeclaredCache
from flyball.core.declared.serving import Case, FallbackLink
from flyball.core.prediction import PredictionRecord
from flyball.serving.gateway import Gateway

RULE = FallbackLink(
    rule=(Case(when="row.amount > 500.0", prediction=1, score=0.9), Case(when='row.card == "vip"', prediction=0))
)
KEPT = DeclaredCache(max_rows=100)


def record(core: Gateway, models: Mapping[str, Told], **changes: Any) -> PredictionRecord:
    (found,), _ = core.answer([row(**changes)], models, [1.0], "r")
    return found


def test_each_link_answers_where_those_before_it_have_nothing() -> None:
    core = with_links(("previous", "cached", RULE, CONSTANT), KEPT)
    well, gone = dict[str, Told]({CHAMPION: Told(CHAMPION)}), dict[str, Told]()
    assert record(core, well, amount=7.0).outcome == "answered"
    marks = []
    for changes in ({"amount": 7.0}, {"amount": 501}, {"card": "vip", "amount": 8.0}, {"amount": 8.0}):
        found = record(core, gone, **changes)
        assert (found.outcome, found.reason, found.error) == ("fallback", "dead", True)
        marks.append((found.fallback, found.prediction, found.score, found.answered_by))
    assert marks == [
        ("cached", 1, 0.007, CHAMPION),
        ("rule", 1, 0.9, None),
        ("rule", 0, None, None),
        ("constant", 0, 0.0, None),
    ]


def test_a_rule_that_reads_what_is_not_there_does_not_hold() -> None:
    core = with_links((FallbackLink(rule=(Case(when="row.items > 3", prediction=1),)),))
    assert record(core, {}, items=4).fallback == "rule"
    assert record(core, {}).outcome == "failed"


def test_a_quarantined_row_is_answered_by_the_chain() -> None:
    core = with_links(("previous", RULE))
    found = record(core, {}, amount=2000.0)
    assert (found.outcome, found.fallback, found.error) == ("quarantined", "rule", False)


def test_an_answer_is_never_used_across_releases() -> None:
    core = with_links(("cached",), KEPT)
    record(core, dict[str, Told]({CHAMPION: Told(CHAMPION)}))
    assert record(core, {}).fallback == "cached"
    core.route(routing(weight=10_000))  # now the row belongs to the candidate
    assert record(core, {}).outcome == "failed"
    core.route(routing(weight=0, champion=CANDIDATE, candidate=None))
    assert record(core, {}).outcome == "failed"
