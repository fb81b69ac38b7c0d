"""By counts and the default limit: a PSI just over 0.25 in three windows asks for a retraining, one below none."""

import pytest
from msgspec.structs import replace
from tests.decide.windows import ROWS, SERVICE, report

from flyball.core.service import Psi
from flyball.core.watching import WindowReport
from flyball.decide.triggers import wish
from flyball.monitor import drift
from flyball.monitor.windows import Span

REFERENCE = (50_000, 50_000)  # of a feature with two values
DEFAULT = replace(SERVICE, monitor=replace(SERVICE.monitor, psi=Psi()))


def windows(upper: int, many: int) -> list[WindowReport]:
    """As the monitor reports them, where so many of 1,000 rows have the first value."""
    streaks: dict[str, drift.Streak] = {}
    made = []
    for index in range(many):
        first = index * ROWS
        span = Span(release="r", index=index, first_row=first, last_row=first + ROWS - 1, start=0.0, end=1.0, rows=ROWS)
        found = drift.compare(REFERENCE, (upper, ROWS - upper), limit=Psi().warn, alpha=drift.ALPHA, null="zero")
        signals, streaks = drift.signals({"amount": found}, Psi(), streaks, span)
        made.append(replace(report(index, loss=(0.001, -0.02)), signals=signals))
    return made


def psi_of(made: list[WindowReport]) -> float:
    return round(made[-1].signals[0].value, 2)


@pytest.mark.parametrize(("upper", "psi", "fired"), [(736, 0.24, None), (744, 0.26, "drift")])
def test_a_psi_just_over_a_quarter_fires_with_the_third_window_and_one_just_below_with_none(
    upper: int, psi: float, fired: str | None
) -> None:
    made = windows(upper, 3)
    assert psi_of(made) == psi
    assert wish(made[:2], DEFAULT).fired is None
    assert wish(made, DEFAULT).fired == fired
    assert wish(windows(upper, 12), DEFAULT).fired == fired
