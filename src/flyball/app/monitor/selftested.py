"""What a self-test of a monitor found: the delay of each planted drift, and alarms where nothing was planted. Pure.

An alarm is what would make the loop act: a PSI signal at `act` in as many windows in a row as the service declares, or
any other signal about inputs or answers at `act`. Errors, slow answers and risk are the model's own and are not counted
here: no planted drift moves them, because the answers of the copy are those of today.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from statistics import median

from flyball.core.record import Record
from flyball.core.watching import Signal, SignalKind, WindowReport
from flyball.monitor.planting import DriftKind
from flyball.stats.scoring.intervals import wilson

OPERATIONAL: frozenset[SignalKind] = frozenset({"error", "latency", "risk", "training", "capture"})


class Planted(Record):
    """One drift in one feature, from one row on."""

    kind: DriftKind
    feature: str
    change: str  # in words
    delay_rows: int | None  # rows from the first drifted one to the end of the window that alarmed; None: missed
    delay_windows: int | None  # the same in windows, begun ones counted
    warned_rows: int | None  # to the first signal of any level
    by: str | None  # kind of the signal that alarmed
    delays: dict[str, int]  # kind of signal -> rows to its first alarm; a kind that never alarmed is absent
    already: bool = False  # the feature alarmed before anything was planted: its delay says nothing


class Detector(Record):
    """What one way to alarm did over the same copies and drifts."""

    name: str  # `this service`, a kind of its signals, `always fire`, `never fire`
    false_alarms: float  # share of windows without a planted drift that were in alarm, 0 to 1
    median_delay_windows: float | None  # of those that were found; None: none was
    missed: float | None  # share of the planted drifts that were never found; None: none was planted


class SelfTest(Record):
    """The answer of `flyball monitor selftest`."""

    service: str
    release: str  # whose baseline and traffic it was
    seed: int
    traffic_rows: int
    traffic_from: str  # RFC 3339
    traffic_to: str
    window_rows: int
    consecutive: int  # windows at `act` until it alarms
    most_windows: int  # that a planted drift was given
    copies: int  # undrifted, each with its panes in another order
    windows: int  # of all copies
    alarmed: int  # of them
    alarmed_copies: int
    false_alarms: tuple[float, float]  # 95 % interval of the share of windows (Wilson; windows of one day are alike)
    alarmed_by: dict[str, int]  # kind of signal -> windows that it had in alarm
    false_features: tuple[str, ...]  # that alarmed in an undrifted copy, most often first
    planted: tuple[Planted, ...]
    detectors: tuple[Detector, ...]
    notes: tuple[str, ...]


def fires(signal: Signal, consecutive: int) -> bool:
    """Whether this is an alarm: see the theory above."""
    if signal.signal in OPERATIONAL or signal.level != "act":
        return False
    return signal.signal != "psi" or signal.consecutive >= consecutive


def alarms(report: WindowReport, consecutive: int) -> tuple[Signal, ...]:
    """Signals of one window that are alarms."""
    return tuple(each for each in report.signals if fires(each, consecutive))


def about(feature: str, signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Those that name this feature, or none at all (a finding about whole rows)."""
    return tuple(each for each in signals if each.feature in (feature, None) and each.signal not in OPERATIONAL)


def found(
    reports: Sequence[WindowReport],
    feature: str,
    kind: DriftKind,
    *,
    change: str,
    since_row: int,
    window_rows: int,
    consecutive: int,
) -> Planted:
    """When the monitor saw it. `since_row`: position of the first drifted row; windows before it had none."""
    before = [each for each in reports if each.last_row < since_row]
    after = [each for each in reports if each.last_row >= since_row]
    already = any(about(feature, alarms(each, consecutive)) for each in before)
    warned = next((each for each in after if about(feature, each.signals)), None)
    alarmed = next((each for each in after if about(feature, alarms(each, consecutive))), None)
    rows = None if alarmed is None else alarmed.last_row - since_row + 1
    delays: dict[str, int] = {}
    for each in after:
        for one in about(feature, alarms(each, consecutive)):
            delays.setdefault(one.signal, each.last_row - since_row + 1)
    return Planted(
        kind=kind,
        feature=feature,
        change=change,
        delay_rows=rows,
        delay_windows=None if rows is None else ceil(rows / window_rows),
        warned_rows=None if warned is None else warned.last_row - since_row + 1,
        by=None if alarmed is None else about(feature, alarms(alarmed, consecutive))[0].signal,
        delays=delays,
        already=already,
    )


def detectors(
    planted: Sequence[Planted], *, windows: int, alarmed: int, alarmed_by: Mapping[str, int], window_rows: int
) -> tuple[Detector, ...]:
    """This service's monitor, and each kind of its signals, beside one that always fires and one that never does: no
    table says much without them."""
    counted = [each for each in planted if not each.already]
    some = None if not counted else 0.0
    kinds = sorted({kind for each in counted for kind in each.delays} | set(alarmed_by))
    return (
        _detector("this service", [each.delay_windows for each in counted], alarmed, windows),
        *(
            _detector(
                kind,
                [None if kind not in each.delays else ceil(each.delays[kind] / window_rows) for each in counted],
                alarmed_by.get(kind, 0),
                windows,
            )
            for kind in kinds
        ),
        Detector(name="always fire", false_alarms=1.0, median_delay_windows=1.0 if counted else None, missed=some),
        Detector(name="never fire", false_alarms=0.0, median_delay_windows=None, missed=None if some is None else 1.0),
    )


def _detector(name: str, delays: Sequence[int | None], alarmed: int, windows: int) -> Detector:
    seen = [delay for delay in delays if delay is not None]
    return Detector(
        name=name,
        false_alarms=alarmed / windows if windows else 0.0,
        median_delay_windows=float(median(seen)) if seen else None,
        missed=None if not delays else 1.0 - len(seen) / len(delays),
    )


def realised(alarmed: int, windows: int) -> tuple[float, float]:
    """The interval of the share of windows in alarm."""
    return wilson(alarmed, windows) if windows else (0.0, 1.0)
