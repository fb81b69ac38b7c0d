"""A drill's incidents, remedies and rollouts are in no figure of the service, and nothing else is left out."""

import pytest
from msgspec.structs import replace
from tests.control.world import BACK, NAME, OPENED, entries

from flyball.control.review.past import Past
from flyball.control.review.reading import past_of
from flyball.core import events as e

DRILL = e.DrillBegun(
    service=NAME, drill="dr-1", fault="nan_burst", share=0.1, until="2999-01-01T00:00:00Z", by="ada", proof="os_user"
)
OVER = e.DrillEnded(service=NAME, drill="dr-1", fault="nan_burst", outcome="passed", detected_s=1.0, recovered_s=2.0)
BROKEN = e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="7 rows break the contract")
MENDED = e.IncidentClosed(
    service=NAME, incident="in-1", how="new_normal", reason="steady", detected_s=1.0, recovered_s=5.0
)
REMEDY = e.RemedyBegun(
    service=NAME,
    remedy="re-1",
    kind="fall_back",
    cause="data_quality",
    number=0,
    why="broken",
    verify_by="2999-01-01T00:00:00Z",
    incident="in-1",
)
HELPED = e.RemedyVerified(service=NAME, remedy="re-1", helped="yes", why="it is gone")


def past(*facts: e.AnyFact) -> Past:
    return past_of(entries(facts), NAME)


def counted(found: Past) -> tuple[int, int, int]:
    return len(found.opened), len(found.closed), len(found.remedies)


def test_an_incident_that_a_drill_made_is_counted_nowhere_also_after_its_end() -> None:
    assert counted(past(DRILL, BROKEN, REMEDY, HELPED, MENDED, OVER)) == (0, 0, 0)
    late = past(DRILL, BROKEN, OVER, REMEDY, HELPED, MENDED)
    assert counted(late) == (0, 0, 0)
    assert [each.what for each in late.drills] == ["nan_burst"]


def test_the_same_without_a_drill_or_after_it_is_counted() -> None:
    assert counted(past(BROKEN, REMEDY, HELPED, MENDED)) == (1, 1, 1)
    assert counted(past(DRILL, OVER, BROKEN, REMEDY, HELPED, MENDED)) == (1, 1, 1)
    assert counted(past(replace(DRILL, until="2020-01-01T00:00:00Z"), BROKEN, REMEDY, HELPED, MENDED)) == (1, 1, 1)


@pytest.mark.parametrize("cause", ["resources/disk", "labels"])
def test_what_the_fault_does_not_explain_is_real_while_it_runs(cause: str) -> None:
    incident = replace(BROKEN, kind="health", cause=cause)
    assert counted(past(DRILL, incident, replace(REMEDY, cause=cause), HELPED, MENDED, OVER)) == (1, 1, 1)


def test_a_remedy_of_no_incident_is_a_drills_where_its_fault_explains_the_cause() -> None:
    alone = replace(REMEDY, incident=None, cause="drift/amount")
    assert counted(past(DRILL, alone, HELPED, OVER))[2] == 0
    assert counted(past(DRILL, replace(alone, cause="latency"), HELPED, OVER))[2] == 1


def test_remedies_that_all_failed_and_then_called_somebody_are_one_by_hand() -> None:
    """Red before: 4 of 5 needed no hand, which is the goal, and the service was ill all the time."""
    kinds = ("fall_back", "roll_back", "recycle_worker", "shed")
    tried = [replace(REMEDY, remedy=f"re-{kind}", kind=kind) for kind in kinds]
    failed = [replace(HELPED, remedy=one.remedy, helped="no") for one in tried]
    page = replace(REMEDY, remedy="re-page", kind="page")
    found = past(BROKEN, *(fact for pair in zip(tried, failed, strict=True) for fact in pair), page)
    assert [(one.what, one.automatic) for one in found.remedies] == [("page", False)]


def test_a_bad_candidate_that_was_drilled_is_no_failed_change() -> None:
    began = replace(DRILL, fault="bad_candidate")
    found = past(replace(began, own=True), OPENED, BACK, replace(OVER, fault="bad_candidate"))
    assert (found.remedies, found.failures, found.changes) == ((), (), ())
    assert len(past(OPENED, BACK).remedies) == 1
    offered = e.DrillCandidate(
        service=DRILL.service, drill=DRILL.drill, release=OPENED.release, copy_of=OPENED.champion
    )
    mine = past(began, offered, replace(OPENED, drill=DRILL.drill), BACK, replace(OVER, fault="bad_candidate"))
    assert (mine.remedies, mine.failures, mine.changes) == ((), (), ())
    for facts in ((began, offered, OPENED, BACK), (began, OPENED, offered, BACK), (began, OPENED, BACK)):
        assert len(past(*facts).remedies) == 1, "a release's own rollout beside it counts, whenever it opened"
