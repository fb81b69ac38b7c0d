"""What is thought of a release, from the facts alone: only one that serves passes, and no answer is of another one."""

from collections.abc import Sequence

import pytest
from tests.app.test_people import ASKED, CLOSED, PROMOTED, ROLLOUT, asking
from tests.control.world import FIRST, NAME, SECOND, THIRD, entries, first_champion, registered

from flyball.app.api.endings import Endings
from flyball.app.api.judgement import Judgement, judgement
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import NotFound
from flyball.core.ids import Epoch
from flyball.core.routing import Verdict

WORSE = Verdict(kind="ROLL_BACK", reason="ten times the errors", cause="errors", numbers={"log_e_errors": 4.2})
BACK = e.RolledBack(
    service=NAME, rollout=ROLLOUT, release=SECOND, to=FIRST, cause="errors", by="gateway", verdict=WORSE, epoch=Epoch(2)
)
ORDERED = e.RollbackOrdered(service=NAME, key="k", by="bob", proof="os_user", why="smells")
REJECTED = e.ApprovalRejected(service=NAME, rollout=ROLLOUT, by="ada", proof="os_user", why="not on a Friday")
JUDGED = e.StepJudged(
    service=NAME, rollout=ROLLOUT, step=0, verdict=Verdict(kind="PROMOTE", reason="fine", numbers={"upper": 0.01})
)


def said(why: str, *waiting: str) -> e.DecisionTaken:
    return e.DecisionTaken(service=NAME, action="rollout", why=why, waiting_for=waiting)


def thought(facts: Sequence[e.AnyFact], release: str | None = None) -> Judgement:
    state, endings = ServiceState(service=NAME), Endings()
    for entry in entries([*first_champion(), *facts]):
        state = fold(state, entry)
        endings.add(entry)
    return judgement(state, endings.of(NAME), release)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ((said("hold: not enough yet", "requests"),), "HOLD"),
        ((said("hold: undecided after 3600 s of at most 3600 s"),), "HOLD"),
        ((said("inconclusive: 50 of 1000 rows lack a record"),), "INCONCLUSIVE"),
        ((said("invalid: 300 of 1000 units reached the candidate"),), "INVALID"),
        ((JUDGED, said("start step 1 (approval): fine")), "HOLD"),
        ((e.RolloutPaused(service=NAME, rollout=ROLLOUT, by="bob", proof="os_user"), said("wait: paused")), "HOLD"),
        ((e.RoutingRefused(service=NAME, key="k", epoch=Epoch(1), error="no memory"),), "INCONCLUSIVE"),
        ((ORDERED,), "ROLL_BACK"),
        ((REJECTED,), "ROLL_BACK"),
        ((BACK,), "ROLL_BACK"),
        ((), "HOLD"),
    ],
)
def test_of_a_rollout_that_runs(facts: Sequence[e.AnyFact], kind: str) -> None:
    """Whatever was passed so far, it is no PROMOTE before it serves."""
    found = thought([*asking(), *facts])
    assert (found.verdict, found.ok, found.release, found.rollout) == (kind, False, SECOND, ROLLOUT)
    assert found.reasons
    assert all(found.reasons)
    assert found == thought([*asking(), *facts], SECOND)


def test_the_numbers_are_those_of_the_newest_judgement() -> None:
    assert thought([*asking(), JUDGED]).numbers == {"upper": 0.01}
    found = thought([*asking(), JUDGED, BACK])
    assert (found.numbers, found.cause, found.reasons) == ({"log_e_errors": 4.2}, "errors", ("ten times the errors",))


def test_of_a_release_whose_rollout_is_over() -> None:
    promoted = thought([*asking(), *PROMOTED], SECOND)
    assert (promoted.verdict, promoted.ok, promoted.rollout) == ("PROMOTE", True, ROLLOUT)
    gone = thought([*asking(), BACK, CLOSED], SECOND)
    assert (gone.verdict, gone.cause, gone.numbers) == ("ROLL_BACK", "errors", {"log_e_errors": 4.2})
    assert "rolled_back" in gone.reasons[0]
    back = thought([*asking(), *PROMOTED, ORDERED], SECOND)
    assert back.verdict == "ROLL_BACK"
    other = thought([*asking(), *PROMOTED], FIRST)
    assert (other.verdict, other.ok) == ("INCONCLUSIVE", False), "it served once: that is no verdict on it now"


def test_a_champion_that_a_person_took_back_is_no_good_release() -> None:
    undone = e.ChampionAppointed(service=NAME, release=FIRST, previous=SECOND, by="bob")
    gone = thought([*asking(), *PROMOTED, ORDERED, undone], SECOND)
    assert (gone.verdict, gone.reasons) == ("ROLL_BACK", (f"release {'b' * 12}: rolled_back: taken back by bob",))
    wanted = e.ReleaseWanted(service=NAME, release=SECOND, by="bob", proof="os_user", why="it was the database")
    assert thought([*asking(), *PROMOTED, ORDERED, undone, wanted], SECOND).verdict == "HOLD"
    assert thought([*asking(), *PROMOTED, ORDERED, undone], FIRST).verdict == "PROMOTE"


def test_of_a_release_that_was_not_tried_yet() -> None:
    assert thought(registered(THIRD), THIRD).verdict == "HOLD"
    assert thought(registered(THIRD, passed=False), THIRD).verdict == "ROLL_BACK"
    assert thought([*asking(), *registered(THIRD)], THIRD).verdict == "HOLD"


def test_a_verdict_on_the_release_before_is_not_told_as_one_on_the_next() -> None:
    for over in (PROMOTED, (BACK, CLOSED), ()):
        facts = [*asking(), *over] if over else []
        found = thought(facts)
        assert (found.verdict, found.ok, found.release) == ("INCONCLUSIVE", False, None)


def test_a_release_is_named_by_enough_digits_or_not_at_all() -> None:
    assert thought(asking(), "b" * 8).release == SECOND
    for name in ("b" * 7, "d" * 12, ""):
        with pytest.raises(NotFound, match="names 0 releases"):
            thought(asking(), name)
    assert ASKED.model == SECOND
