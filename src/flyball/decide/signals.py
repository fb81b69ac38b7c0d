"""Which signals begin, rise or end with a window: what goes on the ledger, so that a month of drift is not a month of
facts."""

from collections.abc import Collection, Mapping

from flyball.core.events import SignalCleared, SignalRaised
from flyball.core.ids import ServiceName
from flyball.core.watching import Signal, WindowReport

ORDER = {"warn": 0, "act": 1}


def signal_facts(
    service: str, report: WindowReport, open_signals: Collection[Signal]
) -> tuple[SignalRaised | SignalCleared, ...]:
    """Signals that are new or at another level than on the ledger, and open ones that this window no longer shows.

    A risk is only cleared by a window that measured the metric.
    """
    known: Mapping[tuple[str, str | None], Signal] = {(s.signal, s.feature): s for s in open_signals}
    newest: dict[tuple[str, str | None], Signal] = {}
    for signal in report.signals:  # several findings may concern one feature: the worst stands for all
        key = (signal.signal, signal.feature)
        if key not in newest or ORDER[signal.level] > ORDER[newest[key].level]:
            newest[key] = signal
    raised = [
        SignalRaised(service=ServiceName(service), signal=signal)
        for key, signal in newest.items()
        if key not in known or known[key].level != signal.level
    ]
    cleared = [
        SignalCleared(service=ServiceName(service), signal=kind, feature=feature)
        for kind, feature in known
        if (kind, feature) not in newest and (kind != "risk" or report.loss is not None)
    ]
    return (*raised, *cleared)
