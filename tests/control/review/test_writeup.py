"""A digest says what happened in its period and nothing that came after it."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.review.quarter import QUARTER, entries, facts
from tests.control.world import service

from flyball.app.review.markdown import markdown, plain
from flyball.control.review.outside import Outside
from flyball.control.review.writeup import MOST_LINES, WriteUp, written_up
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ids import ServiceName
from flyball.decide.calendar import Span, last_whole

LEDGER = entries(facts())
ROLLBACK_WEEK = last_whole("weekly", moment("2026-07-27T00:00:00Z"))  # 20 to 26 July


def _written(known: list, span: Span = ROLLBACK_WEEK) -> WriteUp:  # type: ignore[type-arg]
    return written_up(service(), known, "weekly", span, Outside())


def test_the_week_of_the_rollback_tells_it_and_the_hand_that_ordered_the_training() -> None:
    text = markdown(_written(LEDGER))
    assert text.startswith("# fraud: weekly digest 2026-W30\n")
    assert "From 2026-07-20 up to 2026-07-27" in text
    assert "went back" in text or "back to" in text
    assert "order a retraining: 1 times by ada" in text


def test_what_was_done_by_hand_twice_is_told_with_what_would_do_it() -> None:
    (order,) = [
        entry
        for entry in LEDGER
        if isinstance(entry.fact, e.RetrainOrdered)
        and entry.fact.by == "ada"
        and moment(entry.at) < ROLLBACK_WEEK.until
    ]
    text = markdown(_written([*LEDGER, replace(order, seq=len(LEDGER) + 1)]))
    (told,) = [line for line in text.splitlines() if "order a retraining" in line]
    assert "2 times by ada. Done more than once: " in told
    assert "retrain.schedule" in told


@given(st.integers(0, len(LEDGER)))
def test_what_comes_after_the_period_changes_no_byte(later: int) -> None:
    known = [entry for entry in LEDGER if moment(entry.at) < ROLLBACK_WEEK.until]
    some = [*known, *[entry for entry in LEDGER if entry not in known][:later]]
    assert markdown(_written(some)) == markdown(_written(known))


def test_each_fact_of_a_chapter_is_named_by_its_number() -> None:
    found = _written(LEDGER, QUARTER)
    by_seq = {entry.seq: entry for entry in LEDGER}
    for chapter in found.chapters:
        for line in chapter.lines:
            assert by_seq[line.seq].at == line.at
    told = markdown(found)
    assert all(f"[{line.seq}]" in told for chapter in found.chapters for line in chapter.lines)


def test_a_chapter_is_bounded_and_says_how_many_it_leaves_out() -> None:
    frozen = e.Frozen(service=ServiceName("fraud"), by="ada", why="again")
    many = entries([(QUARTER.since, frozen)] * (MOST_LINES + 7))
    (chapter,) = [each for each in _written(many, QUARTER).chapters if each.lines]
    assert (len(chapter.lines), chapter.more) == (MOST_LINES, 7)
    assert "7 earlier ones are not shown" in markdown(_written(many, QUARTER))


@given(st.text())
def test_what_people_wrote_stays_text_on_its_line(text: str) -> None:
    frozen = e.Frozen(service=ServiceName("fraud"), by="ada", why=text)
    told = markdown(_written(entries([(QUARTER.since, frozen)]), QUARTER))
    assert len([line for line in told.splitlines() if "frozen by ada" in line or "ada froze" in line]) <= 3
    assert "\n" not in plain(text)


def test_over_budget_is_named_in_the_digest() -> None:
    found = _written(LEDGER, QUARTER)
    assert "OVER BUDGET" in markdown(found)
    assert found.pages[0].over
