"""When the prediction log loses records the ledger hears it once, and once that it is whole again."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.events import SignalCleared, SignalRaised
from flyball.core.watching import Pane
from flyball.decide.lost_records import WHOLE_PANES, LostRecords

LOSSES = st.lists(st.integers(0, 3), max_size=30)


def pane(index: int, dropped: int, *, received: int = 10) -> Pane:
    written = received - dropped
    return Pane(
        service="shop", index=index, start=0.0, end=1.0, first_row=10 * index, last_row=10 * index + 9,
        received=received, written=written, dropped=dropped,
    )  # fmt: skip


def told(losses: list[int]) -> list[str]:
    """What goes on the ledger, pane by pane."""
    seen, facts, standing = LostRecords(), [], False
    for index, dropped in enumerate(losses):
        seen.pane(pane(index, dropped))
        fact = seen.fact("shop", "sha256:aa", standing=standing)
        standing = isinstance(fact, SignalRaised) or (standing and fact is None)
        if fact is not None:
            facts.append("raised" if isinstance(fact, SignalRaised) else "cleared")
    return facts


@given(LOSSES)
def test_raised_and_cleared_take_turns_and_a_signal_stands_while_losses_are_fresh(losses: list[int]) -> None:
    facts = told(losses)
    assert facts[::2] == ["raised"] * len(facts[::2])
    assert facts[1::2] == ["cleared"] * len(facts[1::2])
    fresh = any(losses[-WHOLE_PANES:])
    assert (len(facts) % 2 == 1) == (fresh if losses else False)


@given(LOSSES)
def test_feeding_all_panes_again_gives_the_same(losses: list[int]) -> None:
    one, other = LostRecords(), LostRecords()
    for index, dropped in enumerate(losses):
        one.pane(pane(index, dropped))
        one.fact("shop", None, standing=False)
        other.pane(pane(index, dropped))
    assert one.fact("shop", None, standing=False) == other.fact("shop", None, standing=False)


def test_the_signal_says_how_many_of_how_many() -> None:
    seen = LostRecords()
    seen.pane(pane(0, 0))
    seen.pane(pane(1, 4))
    fact = seen.fact("shop", "sha256:aa", standing=False)
    assert isinstance(fact, SignalRaised)
    assert (fact.signal.signal, fact.signal.value, fact.signal.first_row) == ("capture", 4.0, 10)
    assert fact.signal.detail == "4 records of 10 received are not in the prediction log"


def test_a_full_disk_that_seals_nothing_is_told_by_the_gateways_own_count() -> None:
    seen = LostRecords()
    seen.counted(7)  # of before this controller began: the panes tell of those
    assert seen.fact("shop", None, standing=False) is None
    seen.counted(None)
    seen.counted(12)
    assert isinstance(seen.fact("shop", None, standing=False), SignalRaised)
    assert seen.fact("shop", None, standing=True) is None
    seen.counted(0)  # another step began
    for index in range(WHOLE_PANES):
        assert seen.fact("shop", None, standing=True) is None
        seen.pane(pane(index, 0))
        seen.pane(pane(index, 0, received=0))  # says nothing
    assert isinstance(seen.fact("shop", None, standing=True), SignalCleared)
