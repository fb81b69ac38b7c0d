"""The book of alerts: one open alert of a cause, whoever reads it and however often."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.world import BACK, NAME, NOW, OPENED

from flyball.control.state.alert_state import REMEMBERED, AlertBook, folded
from flyball.core import events as e
from flyball.core.ids import RolloutId


def raised(alert: str, cause: str, *, test: bool = False) -> e.AlertRaised:
    return e.AlertRaised(
        service=NAME,
        alert=alert,
        cause=cause,
        name="ErrorsHigh",
        urgency="page",
        summary="s",
        detail="d",
        runbook="bad-rollout",
        owner="risk",
        to=("ada",),
        test=test,
    )


def acked(alert: str) -> e.AlertAcked:
    return e.AlertAcked(service=NAME, alert=alert, by="ada", proof="os_user")


def resolved(alert: str) -> e.AlertResolved:
    return e.AlertResolved(service=NAME, alert=alert, why="gone")


FACTS = st.sampled_from(["al-1", "al-2", "al-3"]).flatmap(
    lambda name: st.sampled_from([raised(name, f"cause-{int(name[-1]) % 2}"), acked(name), resolved(name)])
)


@given(st.lists(FACTS, max_size=20))
def test_a_cause_has_one_open_alert_at_most(facts: list[e.AnyFact]) -> None:
    book = AlertBook()
    for fact in facts:
        book = folded(book, fact, NOW)
    names = [each.raised.alert for each in book.open.values()]
    assert len(names) == len(set(names))
    assert all(cause == each.raised.cause for cause, each in book.open.items())


def test_what_was_acked_stays_acked_until_it_is_resolved() -> None:
    book = AlertBook()
    for fact in (raised("al-1", "errors"), acked("al-1")):
        book = folded(book, fact, NOW)
    assert book.open["errors"].acked == acked("al-1")
    assert not folded(book, resolved("al-1"), NOW).open


def test_an_alert_is_of_everybody_who_was_told_of_it_each_once() -> None:
    book = AlertBook()
    up = e.AlertEscalated(service=NAME, alert="al-1", level=1, to=("bob", "ada"), why="nobody took it")
    for fact in (raised("al-1", "errors"), up):
        book = folded(book, fact, NOW)
    assert book.open["errors"].to == ("ada", "bob")
    assert book.open["errors"].raised.to == ("ada",)


def test_an_ack_of_an_alert_that_nobody_knows_changes_nothing() -> None:
    book = folded(AlertBook(), raised("al-1", "errors"), NOW)
    assert folded(book, acked("al-9"), NOW) == book


def test_a_test_opens_no_alert() -> None:
    assert folded(AlertBook(), raised("al-1", "test", test=True), NOW) == AlertBook()


def test_resolutions_of_a_cause_are_remembered_so_many_times() -> None:
    book = AlertBook()
    for number in range(REMEMBERED + 5):
        book = folded(book, raised(f"al-{number}", "errors"), NOW)
        book = folded(book, resolved(f"al-{number}"), NOW)
    assert len(book.resolved["errors"]) == REMEMBERED


def test_what_a_drill_has_taken_back_is_over_with_it_and_what_was_before_still_stands() -> None:
    """Red before: the ticket of a drill's own candidate stood for a day, or until somebody took it."""
    real = replace(BACK, rollout=RolloutId("ro-real"), by="gateway")
    over = e.DrillEnded(service=NAME, drill="dr-1", fault="bad_candidate", outcome="passed")
    for before in (None, real):
        book = AlertBook() if before is None else folded(AlertBook(), before, NOW)
        known = book.rolled_back
        for fact in (replace(OPENED, drill="dr-1"), replace(BACK, by="gateway")):
            book = folded(book, fact, NOW)
        assert book.rolled_back is not None, "while the drill runs it is told"
        assert book.rolled_back.fact.rollout == OPENED.rollout
        assert folded(book, over, NOW).rolled_back == known
    book = folded(folded(AlertBook(), OPENED, NOW), replace(BACK, by="gateway"), NOW)
    assert folded(book, over, NOW).rolled_back is not None, "a release of the service's own is no drill's"
