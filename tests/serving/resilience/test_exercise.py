"""Each link of the fallback chain is tried by itself once a period, and the ledger hears of it once."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CHAMPION, PREVIOUS, routing, row
from tests.serving.stage import SERVICE, stage, until

from flyball.adapters.messages.gateway_socket import exercised, waiting
from flyball.core.declared.serving import Exercising
from flyball.core.facts.fallback import FallbackExercised
from flyball.core.ids import ServiceName
from flyball.core.prediction import Answer, Failure
from flyball.serving.resilience.exercise import Exercise
from flyball.serving.serve.workers.spool import put_exercised

WEEK_S = 7 * 86_400.0
YES, NO = Answer(prediction=1), Answer(prediction=0)


def exercise(*links: str, rows: int = 3) -> Exercise:
    return Exercise(ServiceName("shop"), links, Exercising(rows=rows, share=1.0), None)


def through(one: Exercise, now: float, given_answers: list[Answer | Failure | None]) -> list[FallbackExercised]:
    found = []
    for answer in given_answers:
        if one.due(now) is not None:
            one.asked()
            if (finding := one.told(answer, YES, now)) is not None:
                found.append(finding)
    return found


@given(st.lists(st.sampled_from([YES, NO, Failure(reason="dead"), None]), min_size=3, max_size=3))
def test_the_finding_counts_what_was_answered_what_agreed_and_why_not(said: list[Answer | Failure | None]) -> None:
    (finding,) = through(exercise("rule"), WEEK_S, said)
    assert (finding.link, finding.rows, finding.period) == ("rule", 3, 1)
    assert finding.answered == sum(isinstance(answer, Answer) for answer in said)
    assert finding.agreed == said.count(YES)
    assert sum(finding.reasons.values()) == 3 - finding.answered


def test_each_link_has_its_turn_once_a_period() -> None:
    one = exercise("previous", "rule", "constant")
    for period in (0, 1, 5):
        found = through(one, period * WEEK_S, [YES] * 20)
        assert [(finding.link, finding.period) for finding in found] == [
            (link, period) for link in ("previous", "rule", "constant")
        ]
    assert through(exercise(), 0.0, [YES] * 20) == []


def test_no_more_rows_are_asked_while_the_last_answers_are_on_their_way() -> None:
    one = exercise("previous", rows=2)
    for _ in range(2):
        assert one.due(0.0) == "previous"
        one.asked()
    assert one.due(0.0) is None
    assert one.told(YES, YES, 0.0) is None
    assert one.told(YES, YES, 0.0) is not None
    assert one.due(0.0) is None


def test_the_same_finding_of_two_workers_is_one_event(tmp_path: Path) -> None:
    for answered in (3, 2):
        (finding,) = through(exercise("rule"), 0.0, [YES] * answered + [None] * (3 - answered))
        put_exercised(tmp_path, finding)
    assert [event for event, _ in exercised(tmp_path)] == ["exercised-shop-rule-0"]
    assert list(waiting(tmp_path)) == []  # it is no stop


def test_a_gateway_exercises_its_chain_on_rows_that_were_answered(tmp_path: Path) -> None:
    declared = SERVICE.replace(
        "  fallback: [previous, {constant: {prediction: 0, score: 0.0}}]",
        "  exercise: {rows: 2, share: 1.0}\n"
        "  cache: {max_rows: 10}\n"
        "  fallback:\n"
        "    - previous\n"
        "    - cached\n"
        "    - rule: [{when: 'row.amount > 100.0', prediction: 1}]\n"
        "    - constant: {prediction: 0, score: 0.0}",
    )
    with stage(tmp_path, declared=declared) as made:
        made.release(CHAMPION, score=0.9)
        made.release(PREVIOUS, score=0.2)
        made.start()
        made.control.apply("first", routing(candidate=None, rollout=None, guardrails=None, step=None))
        spool = made.home.gateway("shop") / "spool"

        def all_of_them() -> list[FallbackExercised]:
            answer = made.predict(row())[0]
            assert (answer["score"], answer["fallback"]) == (0.9, None)
            found = [finding for _, finding in exercised(spool)]
            return found if len(found) == 4 else []

        found = {finding.link: finding for finding in until(all_of_them, "every link was exercised")}
        assert {link: (one.rows, one.answered, one.agreed) for link, one in found.items()} == {
            "previous": (2, 2, 0),
            "cached": (2, 2, 2),
            "rule": (2, 0, 0),
            "constant": (2, 2, 0),
        }
        assert found["rule"].reasons == {"nothing to say": 2}
        counts = made.control.observe("shop").counts
        assert counts is not None
        assert counts.champion.errors == 0
