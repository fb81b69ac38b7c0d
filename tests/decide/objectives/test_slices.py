"""Slices close in order, whatever comes late, and go on behind a clock that was put back."""

from flyball.core.declared.objectives import Events, Objective
from flyball.decide.objectives.slices import Slicing

SLICED = Objective(name="up", sli="availability", target=0.9, method="Timeslices", slice_s=300.0, slice_target=0.99)
GOOD = Events(good=10.0, total=10.0)


def closed(slicing: Slicing, minutes: list[int]) -> list[tuple[float, Events]]:
    found = (slicing.closed(minute * 60.0, GOOD) for minute in minutes)
    return [each for each in found if each is not None]


def test_what_comes_late_makes_no_slice_more() -> None:
    """Red before: a late pane closed the slice that ran and began an old one anew; three of them made 9 slices 15."""
    ordered = list(range(60))
    late = [*range(20), 3, *range(20, 40), 11, 12, *range(40, 60)]
    assert closed(Slicing(SLICED), late) == closed(Slicing(SLICED), ordered)
    assert len(closed(Slicing(SLICED), ordered)) == 11


def test_behind_a_clock_that_was_put_back_slices_go_on() -> None:
    slicing = Slicing(SLICED)
    closed(slicing, [1000])  # a clock that ran ahead
    slicing.put_back(60.0 * 10)
    assert [at for at, _ in closed(slicing, [10, 15, 20, 25])] == [600.0, 900.0, 1200.0]
