"""Drift beside a collapse of the volume: who still asks when most have stopped is no sample of those who ask else."""

from msgspec.structs import replace
from tests.decide.windows import MONITOR, SERVICE, report

from flyball.core.watching import OwnPast, WindowReport
from flyball.decide.diagnosis import diagnose
from flyball.decide.triggers import Wish, wish
from flyball.monitor.quality import volume
from flyball.monitor.running import sign_signal
from flyball.monitor.windows import Span

BAD, FINE = (0.08, 0.05), (0.001, -0.02)
FACTOR = MONITOR.quality.max_volume_factor


def by_time(one: WindowReport, rows: int) -> WindowReport:
    """As the monitor reports a window that time closed, after a day of windows of 1,000 rows."""
    told = volume(rows, [1000] * 24, factor=FACTOR)
    if told is None:
        return one
    span = Span(release="r", index=one.index, first_row=0, last_row=rows - 1, start=0.0, end=3600.0, rows=rows)
    return replace(one, rows=rows, signals=(*one.signals, sign_signal(told, span)))


def of_hour(one: WindowReport, found: float) -> WindowReport:
    """As the monitor reports a window that rows closed: the newest whole hour is low."""
    low = OwnPast(
        figure="volume", verdict="LOW", reason="", found=found, expected=1000.0, low=900.0, against="moving average"
    )
    return replace(one, own_past=(low,))


def drifting(loss: tuple[float, float] = FINE) -> list[WindowReport]:
    return [report(k, psi={"a": 0.6}, streak=k + 1, loss=loss) for k in range(3)]


def with_newest(change: WindowReport, loss: tuple[float, float] = FINE) -> Wish:
    return wish([*drifting(loss)[:2], change], SERVICE)


def test_drift_beside_a_window_with_a_tenth_of_the_rows_waits_for_the_rows_and_says_so() -> None:
    found = with_newest(by_time(drifting()[2], 100))
    assert found.fired == "drift"
    (waits,) = found.waiting_for
    assert waits == "as many rows as usual (volume: 100 rows where windows of this length have 1000)"
    assert "part of the supply may be gone: volume: 100 rows" in found.diagnosis.reason
    (step,) = [one for one in found.diagnosis.steps if one.question == "do as many rows come as usual?"]
    assert (step.answer, step.number, round(step.limit or 0.0)) == ("no", 100.0, 333)


def test_drift_beside_an_hour_with_a_tenth_of_the_rows_waits_too() -> None:
    found = with_newest(of_hour(drifting()[2], 100.0))
    assert "volume: 100 rows in an hour where 1000 were expected, moving average" in found.waiting_for[0]


def test_a_quiet_hour_a_flood_and_rows_that_are_back_hold_nothing_back() -> None:
    for newest in (of_hour(drifting()[2], 340.0), by_time(drifting()[2], 340), by_time(drifting()[2], 9000)):
        assert with_newest(newest) == replace(with_newest(newest), fired="drift", waiting_for=())
    back = [*drifting()[:2], by_time(drifting()[2], 100), report(3, psi={"a": 0.6}, streak=4, loss=FINE)]
    assert wish(back, SERVICE).waiting_for == ()


def test_the_declared_factor_is_the_limit_of_the_hour() -> None:
    quality = replace(MONITOR.quality, max_volume_factor=2.0)
    strict = replace(SERVICE, monitor=replace(MONITOR, quality=quality))
    assert wish([*drifting()[:2], of_hour(drifting()[2], 340.0)], strict).waiting_for


def test_labels_that_show_a_loss_are_their_own_proof() -> None:
    found = with_newest(by_time(drifting(BAD)[2], 100), BAD)
    assert (found.fired, found.waiting_for) == ("risk", ())
    assert "volume: 100 rows" in found.diagnosis.reason, "it is said all the same"


def test_few_rows_without_drift_are_no_question_of_the_diagnosis() -> None:
    quiet = by_time(report(0, loss=FINE), 100)
    assert diagnose([quiet], MONITOR.psi) == diagnose([replace(quiet, signals=())], MONITOR.psi)
