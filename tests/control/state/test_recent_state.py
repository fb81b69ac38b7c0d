"""What rules count of the last seven days: the fold that forgets gives what counting all facts gives."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.control.world import FIRST, NAME, OPENED, SECOND, folded, registered

from flyball.control.state.recent_state import WEEK_S, Recent, remembered, within
from flyball.control.state.rollout_state import RolloutState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.ids import Digest, RolloutId

START = datetime(2026, 11, 2, tzinfo=UTC)
RO = RolloutId("ro-1")
RUNNING = RolloutState(
    rollout=RO, release=SECOND, champion=FIRST, policy="", salt="s", reason="drift", opened_at="", exceptions=()
)


def asked(alone: str = "") -> e.ApprovalRequested:
    return e.ApprovalRequested(
        service=NAME,
        rollout=RO,
        step=0,
        model=SECOND,
        evidence=Digest("e"),
        policy=Digest("p"),
        role="approver",
        expires_at="",
        alone=alone,
    )


KINDS: dict[str, e.AnyFact] = {
    "rollouts": OPENED,
    "trainings": e.RetrainOrdered(service=NAME, ticket="t", key="k", by="ada", proof="os_user", reason="drift"),
    "asked": asked(),
    "rollbacks": e.ChampionAppointed(service=NAME, release=FIRST, previous=SECOND, by="ada"),
    "none": asked("routine"),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.floats(0, 3 * WEEK_S)), max_size=40))
def test_counts_of_a_fold_that_forgets_are_counts_of_all_facts(told: list[tuple[str, float]]) -> None:
    recent, told = Recent(), sorted(told, key=lambda each: each[1])
    for kind, seconds in told:
        recent = remembered(recent, KINDS[kind], timestamp(START + timedelta(seconds=seconds)), RUNNING)
    now = START + timedelta(seconds=told[-1][1] if told else 0.0)
    for kind in ("rollouts", "trainings", "asked", "rollbacks"):
        moments = [timestamp(START + timedelta(seconds=seconds)) for each, seconds in told if each == kind]
        expected = within(tuple(moments), timestamp(now), WEEK_S)
        assert within(getattr(recent, kind), timestamp(now), WEEK_S) == expected
    held = sum(len(getattr(recent, kind)) for kind in ("rollouts", "trainings", "asked", "rollbacks"))
    assert held <= len(told)


def test_a_rollout_that_ends_without_a_promotion_is_held_against_its_release_and_an_overtaken_one_is_not() -> None:
    closed = e.RolloutClosed(service=NAME, rollout=RO, outcome="expired", reason="")
    state = folded([*registered(SECOND), OPENED, closed, OPENED, closed])
    assert state.recent.failed == {SECOND: 2}
    again = e.RolloutClosed(service=NAME, rollout=RO, outcome="expired", reason="", again=True)
    promoted = e.RolloutClosed(service=NAME, rollout=RO, outcome="promoted", reason="")
    assert folded([*registered(SECOND), OPENED, again, OPENED, promoted]).recent.failed == {}


def test_a_wish_lasts_until_a_rollout_takes_it_up() -> None:
    wanted = e.ReleaseWanted(service=NAME, release=SECOND, by="ada", proof="os_user")
    assert folded([*registered(SECOND), wanted]).recent.wanted == {SECOND}
    assert folded([*registered(SECOND), wanted, OPENED]).recent.wanted == frozenset()


def test_who_was_promoted_alone_is_remembered_when_it_is_taken_back_and_not_when_a_person_approves_it_later() -> None:
    alone = e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST, rollout=RO, alone="routine")
    back = e.ChampionAppointed(service=NAME, release=FIRST, previous=SECOND, by="ada")
    assert folded([alone, back]).recent.alone == {SECOND: "routine"}
    by_ada = e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST, rollout=RO, by="ada")
    assert folded([alone, back, by_ada]).recent.alone == {}
