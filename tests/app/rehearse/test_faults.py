"""A fault that happens once happens once; one that lasts holds for its time."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.app.rehearse.faults import POINTS, FaultAt, Schedule, lasts_s

declared = st.sampled_from(sorted((point, kind) for point, kinds in POINTS.items() for kind in kinds))


@given(st.lists(st.tuples(st.floats(0, 1e5), declared), max_size=8))
def test_each_fault_that_happens_once_strikes_exactly_once(drawn: list[tuple[float, tuple[str, str]]]) -> None:
    faults = [FaultAt(at=at, point=point, kind=kind) for at, (point, kind) in drawn]
    schedule, struck = Schedule(faults), []
    for now in range(0, 110_000, 5_000):
        for point in POINTS:
            while (kind := schedule.strike(point, float(now))) is not None:
                struck.append((point, kind))
    assert sorted(struck) == sorted((each.point, each.kind) for each in faults if not lasts_s(each))
    assert schedule.met == len(struck)


def test_one_that_lasts_begins_and_ends_when_it_says() -> None:
    schedule = Schedule([FaultAt(at=100, point="gateway.apply", kind="dead")])
    held = [now for now in (99, 100, 400, 699, 700) if schedule.lasting("gateway.apply", now)]
    assert held == [100, 400, 699]
    assert schedule.strike("gateway.apply", 400) is None
    assert schedule.times == (100, 700)
