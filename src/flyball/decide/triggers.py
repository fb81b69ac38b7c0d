"""Which trigger asks for a retraining, and what holds it back.

Retraining is the slow actuator of a loop that must not swing. So: a drift counts after `consecutive` windows and stands
until PSI falls below `warn` (hysteresis); a risk counts at once and stands until a newer metric is no longer even
suspicious; only windows of the present champion count (anti-windup: a promotion forgets them all); after a training
the trigger is dead for the cool-down and at least the label delay, because before that its effect cannot be seen; and
after `rest_after` retrainings without gain it rests until a person acts or a signal begins that was not there before.

One pass over the reports gives the answer; who has folded the older ones goes on from there.
"""

from collections.abc import Collection, Sequence

from flyball.core.estimating import ConceptTrend
from flyball.core.pressure import Pressure
from flyball.core.record import Record
from flyball.core.service import Monitor, Service, Trigger
from flyball.core.watching import Diagnosis, Signal, WindowReport
from flyball.decide.diagnosis import diagnose
from flyball.decide.diagnosis.volume import few_rows
from flyball.decide.health.margin import base_of, projected, surely_falling, tolerated
from flyball.decide.pressure import brief, told


class History(Record):
    """What the ledger knows about earlier trainings of this champion's time."""

    since_training_s: float | None = None  # None: there was none
    training_row: int = 0  # stream position of the newest one
    without_gain: int = 0  # in a row


class Standing(Record):
    """A signal that has fired and has not gone away."""

    signal: Signal  # the newest of its streak
    since_row: int


class Streaks(Record):
    """What the reports so far left: by kind and feature."""

    standing: dict[tuple[str, str | None], Standing] = {}
    begun: dict[tuple[str, str | None], int] = {}  # rows at which streaks began, also of what has not fired yet


class Wish(Record):
    """What the triggers say. `fired` without `waiting_for` means: open a ticket."""

    fired: Trigger | None
    why: str
    diagnosis: Diagnosis
    waiting_for: tuple[str, ...] = ()
    evidence: tuple[Signal, ...] = ()


def wish(
    reports: Sequence[WindowReport],
    service: Service,
    *,
    history: History | None = None,
    settled: Collection[str] = (),
    after: Streaks = Streaks(),  # noqa: B008 - a frozen record
    pressed: Sequence[Pressure] = (),
) -> Wish:
    """Whether a retraining is wanted after the newest window, why, and what it waits for.

    Args:
        reports: of the present champion only, in order. settled: see `diagnosis.diagnose`.
        after: what the reports before these left.
        pressed: see `pressure.pressures`. Where `retrain.pressure` is declared, drift and risk ask by them alone.
    """
    history, monitor = history or History(), service.monitor
    diagnosis = diagnose(
        reports,
        monitor.psi,
        settled=settled,
        labels_expected=monitor.live_metric is not None,
        volume_factor=monitor.quality.max_volume_factor,
    )
    found = streaks(reports, monitor.psi.consecutive, shifts=monitor.detector.retrain, after=after)
    standing = tuple(found.standing.values())
    by_trigger = {
        trigger: [s for s in standing if _trigger(s.signal) == trigger] for trigger in service.retrain.triggers
    }
    by_pressure = service.retrain.pressure is not None
    asking = (
        [_of_pressure(each) for each in pressed if each.high]
        if by_pressure
        else list(filter(by_trigger.get, by_trigger))
    )
    # labels outrank inputs: a ticket for a loss says more than one for a shift
    fired: Trigger | None = next((name for name in ("risk", "drift") if name in asking), None)
    trend = _losing_touch(reports, monitor) if "trend" in service.retrain.triggers and fired != "risk" else None
    if trend is not None:
        waiting = _waiting(standing, service, history, diagnosis)
        why = f"trend: {trend.reason}"
        return Wish(fired="trend", why=why, waiting_for=waiting, diagnosis=diagnosis)
    if fired is None:
        pending = _pending(reports, monitor.psi.consecutive)
        why = "; ".join(brief(each) for each in pressed) if by_pressure and pressed else pending
        return Wish(fired=None, why=why, diagnosis=diagnosis)
    causes = by_trigger[fired]
    reasons = [_told(cause.signal) for cause in causes]
    if by_pressure:
        reasons = [told(each) for each in pressed if each.high and _of_pressure(each) == fired]
    why = f"{fired}: " + ", ".join(reasons)
    waiting = (*unproven(fired, diagnosis), *_waiting(standing, service, history, diagnosis))
    evidence = tuple(cause.signal for cause in causes)
    return Wish(fired=fired, why=why, waiting_for=waiting, diagnosis=diagnosis, evidence=evidence)


def streaks(
    reports: Sequence[WindowReport],
    consecutive: int,
    *,
    shifts: bool = False,
    after: Streaks = Streaks(),  # noqa: B008 - a frozen record
) -> Streaks:
    """Signals that have fired and stand, each with the row at which its streak began; and streaks that have not fired.

    Args: shifts: whether those of the e-detector count, as `monitor.detector.retrain` says. after: what the reports
        before these left.
    """
    kinds = ("psi", "risk", "shift") if shifts else ("psi", "risk")
    found, begun = dict(after.standing), dict(after.begun)
    for report in reports:
        raised = {(s.signal, s.feature): s for s in report.signals if s.signal in kinds}
        for key in [key for key in (*begun, *found) if key not in raised and _measured(key[0], report)]:
            begun.pop(key, None)
            found.pop(key, None)
        for key, signal in raised.items():
            begun.setdefault(key, signal.first_row)
            if key in found or _fires(signal, consecutive):
                found[key] = Standing(signal=signal, since_row=begun[key])
    return Streaks(standing=found, begun=begun)


def _losing_touch(reports: Sequence[WindowReport], monitor: Monitor) -> ConceptTrend | None:
    """The trend of the newest window that could tell one, where a warning is due and so much is lost that it asks."""
    told = next((r.concept for r in reversed(reports) if r.concept is not None), None)
    if told is None:
        return None
    newest = next((r for r in reversed(reports) if r.loss is not None), None)
    name = monitor.live_metric.name if monitor.live_metric is not None else ""
    base = base_of(name, newest.metric, newest.loss) if newest is not None else None
    rules = monitor.health
    sure = surely_falling(told, tolerated(rules.trend_warn, base), rules)
    return told if sure and projected(told, rules) >= tolerated(rules.trend_retrain, base) else None


def _measured(kind: str, report: WindowReport) -> bool:
    """Whether silence in this report says anything: a window without a metric says nothing about the risk."""
    return kind != "risk" or report.loss is not None


def _fires(signal: Signal, consecutive: int) -> bool:
    return signal.level == "act" and (signal.signal in ("risk", "shift") or signal.consecutive >= consecutive)


def _of_pressure(found: Pressure) -> Trigger:
    return "risk" if found.of == "risk" else "drift"


def _trigger(signal: Signal) -> Trigger:
    return "risk" if signal.signal == "risk" else "drift"


def _waiting(standing: Sequence[Standing], service: Service, history: History, diagnosis: Diagnosis) -> tuple[str, ...]:
    found = []
    if diagnosis.remedy == "repair":
        found.append("the supply to be repaired, or to settle as the new normal")
    if history.since_training_s is not None and history.since_training_s < dead_s(service):
        found.append(f"the cool-down to end in {dead_s(service) - history.since_training_s:.0f} s")
    new = any(cause.since_row > history.training_row for cause in standing)
    if not new:
        found += resting(service, history.without_gain)
    return tuple(found)


def unproven(fired: str, diagnosis: Diagnosis) -> tuple[str, ...]:
    """What drift alone waits for; labels that show a loss are their own proof, whoever still asks."""
    few = few_rows(diagnosis) if fired == "drift" else None
    return (f"as many rows as usual ({few})",) if few else ()


def resting(service: Service, without_gain: int) -> tuple[str, ...]:
    """What a trigger that has asked in vain too often waits for."""
    if without_gain < service.retrain.rest_after:
        return ()
    return (f"a person, or a new signal: {without_gain} retrainings in a row brought no gain",)


def dead_s(service: Service) -> float:
    """How long after a training the trigger is dead, seconds: before that its effect cannot be seen."""
    return max(service.retrain.cooldown_s, service.data.label_window_s + service.retrain.bake_s)


def _pending(reports: Sequence[WindowReport], consecutive: int) -> str:
    """What is under way without having fired."""
    newest = [s for s in reports[-1].signals if s.signal in ("psi", "risk")] if reports else []
    if not newest:
        return "no signal is open"
    told = ", ".join(_told(signal) for signal in newest)
    return f"not yet: {told} (drift fires after {consecutive} windows at act)"


def _told(signal: Signal) -> str:
    name = f"{signal.signal} of {signal.feature}" if signal.feature else signal.signal
    over = "over" if signal.value > signal.limit else "open since it was over"  # it ends where it is below `warn`
    return f"{name} {signal.value:.3g} {over} {signal.limit:.3g} ({signal.level}, {signal.consecutive} windows)"
