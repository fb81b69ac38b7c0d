"""How hard drift and loss press for a retraining: a discrete PID of each, with anti-windup and hysteresis.

Theory of operation. The controlled thing is a release that ages; the actuator is a retraining, slow and dear. The error
of a window is how far its measure is beyond its set point, in set points: PSI beyond `monitor.psi.warn`, the loss
beyond `live_metric.max_loss`. The time of the integral is counted in full windows of rows, not in seconds: what an old
release does is done to each row that it answers, so the integral is harm done, by night as by day.

The actuator must not be asked for what it is doing already, nor for what it has just done (anti-windup):

- an error counts for at most two set points, and down to one below: a single mad window moves the sum by so much;
- the integral stays in 0..`enter`, and does not grow where the value is beyond `enter` already;
- windows that began before the last training's dead time was over (cool-down, label window and bake time), before the
  champion was appointed, or before the last rollout or training ended, are not counted at all: their rows are from
  before the deed, or from beside our own canary;
- while a training or a rollout is under way nothing is counted.

So each deed begins again from nothing, and the answer is a fold over the windows since: a controller that starts anew
comes to the same.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from flyball.core.margin import margin
from flyball.core.pressure import Pressure, PressureRule
from flyball.core.record import Record
from flyball.core.service import LiveMetric, Monitor, Service
from flyball.core.watching import WindowReport
from flyball.stats.scoring.metrics import METRICS

MOST_ERROR, LEAST_ERROR = 2.0, -1.0  # set points


class Error(Record):
    """What one window says of one measure."""

    error: float  # in set points
    setpoint: float
    dt: float = 1.0  # full windows of rows
    feature: str | None = None


class Parts(Record):
    """What the windows so far left."""

    proportional: float = 0.0
    integral: float = 0.0
    derivative: float = 0.0
    error: float | None = None  # of the newest, as far as it counts
    high: bool = False

    @property
    def sum(self) -> float:
        return self.proportional + self.integral + self.derivative


def pressures(
    reports: Sequence[WindowReport], service: Service, *, since_s: float = 0.0, held: str = ""
) -> tuple[Pressure, ...]:
    """Of each measure that may ask: PSI where `drift` is a trigger, the loss where `risk` is and a metric is watched.

    Args: reports: of the present champion, in order. since_s: windows that began earlier do not count, seconds since
        the epoch. held: why nothing counts now; empty: it does.
    """
    monitor, triggers = service.monitor, service.retrain.triggers
    rule = service.retrain.pressure or PressureRule()
    counted = [] if held else [report for report in reports if report.start >= since_s]
    found = []
    if "drift" in triggers:
        found.append(pressure("psi", [*_of_psi(counted, monitor)], rule, held=held))
    if "risk" in triggers and monitor.live_metric is not None:
        found.append(pressure("risk", [*_of_loss(counted, monitor, monitor.live_metric)], rule, held=held))
    return tuple(found)


def pressure(of: str, errors: Sequence[Error], rule: PressureRule, *, held: str = "") -> Pressure:
    """One PID over the errors of the windows that count.

    >>> far = [Error(error=1.5, setpoint=0.1)] * 3
    >>> [pressure("psi", far[:n], PressureRule()).high for n in (1, 2, 3)]
    [False, False, True]
    """
    parts = Parts()
    for each in errors:
        parts = after(parts, each, rule)
    newest = errors[-1] if errors else Error(error=0.0, setpoint=0.0)
    return Pressure(
        of="risk" if of == "risk" else "psi",
        value=max(0.0, parts.sum),
        proportional=parts.proportional,
        integral=parts.integral,
        derivative=parts.derivative,
        error=newest.error,
        setpoint=newest.setpoint,
        enter=rule.enter,
        exit=rule.exit,
        high=parts.high,
        windows=len(errors),
        feature=newest.feature,
        held=held,
    )


def after(parts: Parts, each: Error, rule: PressureRule) -> Parts:
    """One window further."""
    error = min(MOST_ERROR, max(LEAST_ERROR, each.error))
    proportional = rule.kp * error
    derivative = 0.0 if parts.error is None else rule.kd * (error - parts.error) / each.dt
    integral = parts.integral
    if error <= 0 or proportional + integral + derivative < rule.enter:
        integral = min(rule.enter, max(0.0, integral + rule.ki * error * each.dt))
    now = Parts(proportional=proportional, integral=integral, derivative=derivative, error=error)
    return replace(now, high=now.sum >= (rule.exit if parts.high else rule.enter))


def brief(found: Pressure) -> str:
    """In words without what changes from window to window, figures apart.

    >>> brief(pressure("psi", [Error(error=0.5, setpoint=0.1, feature="amount")], PressureRule()))
    'pressure of psi 0.22 of 1'
    """
    if found.held:
        return f"pressure of {found.of}: nothing counts, {found.held}"
    if not found.windows:
        return f"pressure of {found.of}: no window counts so far"
    return f"pressure of {found.of} {found.value:.2f} of {found.enter:g}"


def told(found: Pressure) -> str:
    """In words, with its parts.

    >>> told(pressure("psi", [Error(error=0.5, setpoint=0.1, feature="amount")], PressureRule()))
    'pressure of psi 0.22 of 1 (amount: now 0.15 + so far 0.07 + change 0.00, over 1 windows)'
    """
    if found.held or not found.windows:
        return brief(found)
    feature = f"{found.feature}: " if found.feature else ""
    parts = f"now {found.proportional:.2f} + so far {found.integral:.2f} + change {found.derivative:.2f}"
    return f"{brief(found)} ({feature}{parts}, over {found.windows} windows)"


def _of_psi(reports: Sequence[WindowReport], monitor: Monitor) -> Iterator[Error]:
    """The feature, or side of the answer, that is furthest beyond what it is allowed; in units of `psi.warn`."""
    warn = monitor.psi.warn
    for report in reports:
        beyond = {
            name: (value - report.usual.get(name, 0.0)) / warn - 1
            for name, value in (report.psi | report.prediction_psi).items()
            if name not in report.insufficient
        }
        if beyond:
            worst = max(beyond, key=lambda name: (beyond[name], name))
            setpoint = warn + report.usual.get(worst, 0.0)
            yield Error(error=beyond[worst], setpoint=setpoint, dt=_windows(report, monitor), feature=worst)


def _of_loss(reports: Sequence[WindowReport], monitor: Monitor, watched: LiveMetric) -> Iterator[Error]:
    """Windows without a metric say nothing about the loss, and are left out."""
    better = 1 if METRICS[watched.name].direction == "higher" else -1
    for report in reports:
        if report.loss is None or report.metric is None:
            continue
        promised = report.metric.value + better * report.loss.value
        allowed = margin(watched.max_loss, promised)
        if allowed > 0:
            error = report.loss.value / allowed - 1
            yield Error(error=error, setpoint=allowed, dt=_windows(report, monitor))


def _windows(report: WindowReport, monitor: Monitor) -> float:
    return max(report.rows, 1) / monitor.window_rows
