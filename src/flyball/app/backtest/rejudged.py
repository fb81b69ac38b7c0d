"""A recorded window under other limits, where its rows are gone: what the report has kept is judged again.

The report keeps each PSI, the loss with its interval, and the signals. So the limits on PSI, the streak and the loss
can be others. Whether a PSI below the recorded `warn` would have passed the test against chance was not written down:
it is taken as passed and counted as guessed. What counts rows anew (windows of other sizes, the detector, limits of
quality) cannot be judged at all; `NEEDS_ROWS` names those settings.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from flyball.core.service import Monitor, Psi
from flyball.core.watching import Signal, WindowReport
from flyball.monitor import drift, risk
from flyball.monitor.windows import Span
from flyball.stats.scoring.metrics import METRICS
from flyball.stats.two_sample.measure import Measure, Reading

NEEDS_ROWS = (
    *("monitor.window_rows", "monitor.window_s", "monitor.pane_s", "monitor.slices", "monitor.live_metric.name"),
    *("monitor.detector.arl_windows", "monitor.detector.tolerance", "monitor.detector.fdr", "monitor.quality.max_"),
    "monitor.quality.min_",
)


def needs_rows(setting: str) -> bool:
    """Whether a setting can only be judged where the rows are on record.

    >>> needs_rows("monitor.window_rows"), needs_rows("monitor.psi.act"), needs_rows("monitor.quality.settle_windows")
    (True, False, False)
    """
    return setting.startswith(NEEDS_ROWS)


class Rejudge:
    """Windows of one service in order; it goes on where the last one ended, as the monitor does."""

    def __init__(self, recorded: Monitor, wanted: Monitor) -> None:
        self._recorded, self._wanted = recorded, wanted
        self._release = ""
        self._features: Mapping[str, drift.Streak] = {}
        self._answers: Mapping[str, drift.Streak] = {}
        self._risks = 0
        self.guessed = 0  # measures whose test against chance was not written down

    def report(self, report: WindowReport) -> WindowReport:
        """The same window under the wanted limits; under the recorded ones it is the report itself."""
        if report.release != self._release:
            self._release, self._features, self._answers, self._risks = report.release, {}, {}, 0
        signals = report.signals
        if self._wanted.psi != self._recorded.psi:
            signals = (*(one for one in signals if one.signal != "psi"), *self._psi(report))
        if self._wanted.live_metric != self._recorded.live_metric:
            found = self._risk(report)
            signals = (*(one for one in signals if one.signal != "risk"), *([found] if found is not None else []))
        return report if signals is report.signals else replace(report, signals=signals)

    def _psi(self, report: WindowReport) -> tuple[Signal, ...]:
        limits, span, usual = self._wanted.psi, _span(report), self._usual(report)
        features = {name: self._measure(report, name, psi) for name, psi in report.psi.items()}
        answers = {name: self._measure(report, name, psi) for name, psi in report.prediction_psi.items()}
        of_features, self._features = drift.signals(features, limits, self._features, span, usual)
        of_answers, self._answers = drift.signals(answers, limits, self._answers, span, usual)
        return (*of_features, *of_answers)

    def _usual(self, report: WindowReport) -> dict[str, float]:
        """An allowance is a PSI that the reference reaches by itself; one within `warn` is none."""
        return {name: psi for name, psi in report.usual.items() if psi > self._wanted.psi.warn}

    def _measure(self, report: WindowReport, name: str, psi: float) -> Measure:
        known = next((one for one in report.signals if (one.signal, one.feature) == ("psi", name)), None)
        verdict, told = Reading.OK, "within the recorded limits, or within chance"
        recorded: Psi = self._recorded.psi
        usual = report.usual.get(name, 0.0)
        if known is not None:
            psi, verdict, told = known.value, Reading.DRIFT, known.detail
        elif name in report.insufficient:
            verdict, told = Reading.INSUFFICIENT, "too few rows under the recorded limits"
        elif self._wanted.psi.warn + self._usual(report).get(name, 0.0) < psi <= recorded.warn + usual:
            verdict, told = Reading.DRIFT, "whether chance explains it is not on record"
            self.guessed += 1
        return Measure(
            measure="psi",
            value=psi,
            ci=None,
            p=None,
            n=0,
            m=report.rows,
            mde=None,
            verdict=verdict,
            reason=told,
            plain=psi,
        )

    def _risk(self, report: WindowReport) -> Signal | None:
        """None where the window measured no loss; the streak waits for one that does."""
        declared, before = self._wanted.live_metric, self._recorded.live_metric
        if declared is None or before is None or report.loss is None or report.metric is None:
            return None
        higher = METRICS[declared.name].better_by(0.0, 1.0) > 0
        promised = report.metric.value + (report.loss.value if higher else -report.loss.value)
        known = next((one for one in report.signals if one.signal == "risk"), None)
        few = known is not None and known.level == "warn" and known.value > risk.margin(before.max_loss, promised)
        found = risk.signal(
            report.loss,
            risk.margin(declared.max_loss, promised),
            streak=self._risks,
            span=_span(report),
            rows=report.metric_rows or (report.first_row, report.last_row),
            only=0.0 if few else None,
        )
        self._risks = found.consecutive if found else 0
        return found


def _span(report: WindowReport) -> Span:
    return Span(
        release=report.release,
        index=report.index,
        first_row=report.first_row,
        last_row=report.last_row,
        start=0.0,
        end=0.0,
        rows=report.rows,
    )
