"""What is written down of drills: objectives, the table, and nothing that looks like a figure where there is none."""

import msgspec
import pytest

from flyball.app.drills.disaster import routing_differences
from flyball.app.drills.report import DrillReport, DrillRow, LeftOut, cells, goals, markdown, outcome_of, unmet
from flyball.core.ids import Epoch, ReleaseRoot, ServiceName
from flyball.core.routing import Routing

SOUND = DrillRow(fault="latency", detected_s=3.0, recovered_s=11.0, answers_failed=0, automatic=True)
UNSEEN = DrillRow(
    fault="disk_full", detected_s=None, recovered_s=None, answers_failed=2, answers_shed=3, automatic=False
)


def test_the_document_has_the_keys_that_were_promised() -> None:
    document = msgspec.to_builtins(DrillReport(drills=(SOUND, UNSEEN)))
    assert [
        set(row) >= {"fault", "detected_s", "recovered_s", "answers_failed", "automatic"} for row in document["drills"]
    ]
    assert document["drills"][1]["detected_s"] is None


@pytest.mark.parametrize(
    ("detected_s", "recovered_s", "outcome"), [(300, 900, "passed"), (301, 900, "missed"), (300, 901, "missed")]
)
def test_the_objectives_are_five_and_fifteen_minutes(detected_s: float, recovered_s: float, outcome: str) -> None:
    row = msgspec.structs.replace(SOUND, detected_s=detected_s, recovered_s=recovered_s)
    assert outcome_of(row)[0] == outcome


def test_a_drill_that_was_not_over_says_how_long_it_waited() -> None:
    row = msgspec.structs.replace(UNSEEN, detected_s=1.0, waited_s=180.2)
    assert outcome_of(row)[1] == "it was not over 180 s after its beginning, when the drill stopped waiting"
    assert "15 minutes" not in outcome_of(UNSEEN)[1]


@pytest.mark.parametrize(("failed", "shed"), [(0, 3), (2, 0)])
def test_a_drill_that_lost_answers_although_somebody_is_declared_to_give_them_does_not_pass(
    failed: int, shed: int
) -> None:
    row = msgspec.structs.replace(SOUND, answers_failed=failed, answers_shed=shed)
    assert outcome_of(row) == ("passed", ""), "without a chain nobody has promised it"
    outcome, why = outcome_of(row, fallback=True)
    assert outcome == "missed"
    assert f"{failed} answers failed and {shed} were shed" in why
    assert outcome_of(SOUND, fallback=True)[0] == "passed"


def test_what_was_not_seen_is_no_number() -> None:
    assert cells(UNSEEN)[1:3] == ("not seen", "not seen")
    assert goals([SOUND, UNSEEN]) == (
        "1 of 2 detected",
        "1 of 2 over with no hand (goal: 80 %)",
        "2 answers failed, 3 shed (goal: 0 lost where a fallback exists)",
    )


def test_the_page_names_what_was_left_out_and_why() -> None:
    page = markdown(DrillReport(drills=(SOUND,), left_out=(LeftOut(fault="expired_key", why="no keys"),)))
    assert "| latency | 3.0 s | 11.0 s | 0 | 0 | yes |" in page
    assert "**expired_key** was left out: no keys" in page


def test_a_restored_gateway_with_other_weights_is_a_difference() -> None:
    first, second = ReleaseRoot("sha256:" + "a" * 64), ReleaseRoot("sha256:" + "b" * 64)
    said = Routing(service=ServiceName("fraud"), epoch=Epoch(4), champion=first, candidate=second, weight=1000)
    assert routing_differences(said, said, first) == ()
    assert routing_differences(said, msgspec.structs.replace(said, weight=0, epoch=5), first) == (
        "epoch: the ledger names 4, the gateway holds 5",
        "weight: the ledger names 1000, the gateway holds 0",
    )
    assert len(routing_differences(said, said, second)) == 1


def test_a_gateway_that_began_before_the_first_order_serves_the_champion_of_the_facts() -> None:
    first, second = ReleaseRoot("sha256:" + "a" * 64), ReleaseRoot("sha256:" + "b" * 64)
    began = Routing(service=ServiceName("fraud"), epoch=Epoch(0), champion=first)
    assert routing_differences(None, began, first) == ()
    assert len(routing_differences(None, began, second)) == 1
    assert routing_differences(None, msgspec.structs.replace(began, epoch=1), first) == ("the ledger names no routing",)


def test_a_time_that_was_asked_for_is_met_where_each_fault_was_seen_and_over_in_it() -> None:
    standing = msgspec.structs.replace(UNSEEN, detected_s=4.0)
    aborted = msgspec.structs.replace(SOUND, outcome="aborted")
    assert unmet([SOUND], 30.0) == unmet([UNSEEN, standing], None) == ()
    words = unmet([SOUND, UNSEEN, standing, aborted], 30.0)
    assert [each.split()[1:3] for each in words] == [["nothing", "told"], ["it", "was"], ["it", "was"]]
    assert "not over in the 30 s" in words[1]
    assert "aborted" in words[2]
    assert "Not met: disk_full" in markdown(DrillReport(drills=(UNSEEN,), within_s=30.0, unmet=words))


@pytest.mark.parametrize(("row", "within_s", "met"), [(UNSEEN, 30.0, False), (SOUND, 30.0, True), (UNSEEN, None, True)])
def test_a_report_is_good_where_what_was_asked_for_was_met(row: DrillRow, within_s: float | None, met: bool) -> None:
    assert DrillReport(drills=(row,), within_s=within_s, unmet=unmet([row], within_s)).met == met


def test_a_drill_that_somebody_aborted_came_to_no_end() -> None:
    """Red before: its exit code was 0, as if everything had been done."""
    aborted = msgspec.structs.replace(SOUND, outcome="aborted")
    assert DrillReport(drills=(SOUND,)).complete
    assert not DrillReport(drills=(SOUND, aborted)).complete


def test_the_line_of_a_drill_that_somebody_aborted_says_so() -> None:
    aborted = msgspec.structs.replace(SOUND, outcome="aborted")
    assert cells(aborted)[0] == f"{SOUND.fault} (aborted)"
    assert "aborted" not in cells(SOUND)[0]
