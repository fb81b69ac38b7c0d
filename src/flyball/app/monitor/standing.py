"""A service as its monitor sees it: the newest window, feature by feature, and what is waited for. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from flyball.app.monitor.kept_windows import ArmWindows
from flyball.control.state.service_state import ServiceState
from flyball.core.clock import timestamp
from flyball.core.record import Record
from flyball.core.seen_windows import SeenWindow
from flyball.core.watching import Signal, WindowReport

FeatureVerdict = Literal["OK", "DRIFT", "INSUFFICIENT"]


class FeatureStanding(Record):
    """One input, or one side of the answer (`prediction`, `score`, `top_score`), in one window."""

    name: str
    of: Literal["input", "answer"]
    verdict: FeatureVerdict
    psi: float
    level: Literal["warn", "act"] | None  # of its signal; None: it raised none
    limit: float | None  # that the signal is beyond, unit of PSI
    consecutive: int  # windows in a row beyond the limit; 0: not beyond it


class WindowStanding(Record):
    """One window, its time in RFC 3339."""

    start: str
    end: str
    features: tuple[FeatureStanding, ...]
    report: dict[str, Any]  # the whole `WindowReport`, as the monitor made it


class MonitorStanding(Record):
    service: str
    champion: str | None
    window: WindowStanding | None  # the newest; None: none has closed
    arms: tuple[ArmWindows, ...]  # by time, as counts that are kept tell it; the champion first
    waiting_for: tuple[str, ...]
    open_signals: tuple[str, ...]  # on the ledger
    incident: str | None  # the open quality incident


def standing(
    state: ServiceState,
    newest: SeenWindow | None,
    arms: tuple[ArmWindows, ...] = (),
    *,
    window_rows: int | None = None,
) -> MonitorStanding:
    """Fold of the ledger and the newest window as one answer. `window_rows`: that close a window, where it is known."""
    waits = [wait for decision in state.decisions.values() for wait in decision.waiting_for]
    if state.incident:
        waits.append(f"the quality incident {state.incident.incident} to be closed: it blocks retraining")
    if newest is None:
        rows = f"{window_rows} rows" if window_rows else "enough rows"
        waits.append(f"the first window to close: {rows} that the controller of `flyball up` has read")
    elif newest.report.release != state.champion:
        waits.append("the first window of the present champion: the newest one is of the release before it")
    if newest is not None and newest.report.metric is None:
        waits.append("labels: the newest window has no live metric")
    return MonitorStanding(
        service=state.service,
        champion=state.champion,
        window=None if newest is None else window_standing(newest),
        arms=arms,
        waiting_for=tuple(dict.fromkeys(waits)),
        open_signals=tuple(sorted(state.signals)),
        incident=state.incident.incident if state.incident else None,
    )


def window_standing(seen: SeenWindow) -> WindowStanding:
    """One window with its verdicts read out of its signals."""
    return WindowStanding(
        start=_rfc3339(seen.start),
        end=_rfc3339(seen.end),
        features=features(seen.report),
        report=msgspec.to_builtins(seen.report),
    )


def features(report: WindowReport) -> tuple[FeatureStanding, ...]:
    """All that was measured against the baseline, the largest PSI first.

    A feature whose rows were too few is INSUFFICIENT whatever its PSI is; one that raised a signal has drifted.
    """
    raised = {each.feature: each for each in report.signals if each.signal == "psi"}
    found = [_feature(name, "input", psi, report, raised.get(name)) for name, psi in report.psi.items()]
    found += [_feature(name, "answer", psi, report, raised.get(name)) for name, psi in report.prediction_psi.items()]
    return tuple(sorted(found, key=lambda each: (-each.psi, each.name)))


def drifted(found: Sequence[FeatureStanding]) -> tuple[str, ...]:
    """Names of those that have drifted, largest PSI first."""
    return tuple(each.name for each in found if each.verdict == "DRIFT")


def _feature(
    name: str, of: Literal["input", "answer"], psi: float, report: WindowReport, signal: Signal | None
) -> FeatureStanding:
    verdict: FeatureVerdict = "INSUFFICIENT" if name in report.insufficient else "DRIFT" if signal else "OK"
    return FeatureStanding(
        name=name,
        of=of,
        verdict=verdict,
        psi=psi,
        level=signal.level if signal else None,
        limit=signal.limit if signal else None,
        consecutive=signal.consecutive if signal else 0,
    )


def _rfc3339(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))
