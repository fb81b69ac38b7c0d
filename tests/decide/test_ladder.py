"""The ladder of autonomy: never above what is declared, down at once, up by several good outcomes."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.service import Autonomy
from flyball.decide.ladder import RUNGS, Review, Standing, reviewed, rung

POLICIES = st.builds(Autonomy, retrain=st.sampled_from(RUNGS), earned=st.booleans(), reviews=st.integers(1, 4))
REVIEWS = st.lists(st.sampled_from(["good", "harmful", "useless"]), max_size=40)


def after(policy: Autonomy, reviews: list[Review], standing: Standing | None = None) -> Standing:
    now = standing or Standing()
    for each in reviews:
        now = reviewed(policy, now, each).standing
    return now


def test_without_reviews_a_declared_rung_applies_at_once_and_an_earned_one_begins_at_suggest() -> None:
    assert [rung(Autonomy(retrain=name), Standing()) for name in RUNGS] == list(RUNGS)
    earned = [rung(Autonomy(retrain=name, earned=True), Standing()) for name in RUNGS]
    assert earned == ["observe", "suggest", "suggest", "suggest"]


@given(POLICIES, REVIEWS)
def test_it_is_never_above_what_is_declared(policy: Autonomy, reviews: list[Review]) -> None:
    assert RUNGS.index(rung(policy, after(policy, reviews))) <= RUNGS.index(policy.retrain)


@given(POLICIES, REVIEWS)
def test_a_harmful_outcome_lowers_it_by_one_at_once(policy: Autonomy, reviews: list[Review]) -> None:
    before = after(policy, reviews)
    step = reviewed(policy, before, "harmful")
    assert RUNGS.index(step.rung) == max(0, RUNGS.index(rung(policy, before)) - 1)
    assert step.rung == rung(policy, step.standing)


@given(POLICIES, REVIEWS, st.sampled_from(["good", "useless"]))
def test_it_rises_by_one_at_most_and_only_after_enough_good_outcomes(
    policy: Autonomy, reviews: list[Review], last: Review
) -> None:
    before = after(policy, reviews)
    step = reviewed(policy, before, last)
    rose = RUNGS.index(step.rung) - RUNGS.index(rung(policy, before))
    assert rose in (0, 1)
    assert rose == 0 or (last == "good" and before.good + 1 == policy.reviews)


@given(POLICIES, REVIEWS)
def test_what_was_taken_comes_back_by_as_many_good_outcomes_as_a_rung_costs(
    policy: Autonomy, reviews: list[Review]
) -> None:
    before = after(policy, reviews)
    lowered = after(policy, ["harmful"], before)
    back = after(policy, ["good"] * policy.reviews, lowered)
    at = RUNGS.index(rung(policy, lowered))
    assert RUNGS.index(rung(policy, back)) == min(at + 1, RUNGS.index(policy.retrain))


def test_a_ceiling_that_is_lowered_and_raised_again_loses_no_rung_that_nobody_took() -> None:
    high, low = Autonomy(retrain="auto"), Autonomy(retrain="suggest")
    standing = after(low, ["good", "useless"])
    assert rung(high, standing) == "auto"
    assert rung(high, after(high, ["harmful"])) == "approval"
    assert rung(low, after(high, ["harmful"])) == "observe"  # it is one below whatever is declared
