"""Which signals begin, rise or end with a window: what goes on the ledger, so that a month of drift is not a month of
facts."""

from collections.abc import Collection, Mapping

from flyball.core.events import SignalCleared, SignalRaised
from flyball.core.ids import ServiceName
from flyball.core.watching import APART, Signal, WindowReport

ORDER = {"warn": 0, "act": 1}


def signal_facts(
    service: str, report: WindowReport, open_signals: Collection[Signal]
) -> tuple[SignalRaised | SignalCleared, ...]:
    """Signals that are new or at another level than on the ledger, and open ones that this window no longer shows.

    A risk is only cleared by a window that measured the metric, a failed training and lost records by none.
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
        if kind not in APART and (kind, feature) not in newest and (kind != "risk" or report.loss is not None)
    ]
    return (*raised, *cleared)


def training_failed(service: str, error: str, *, failures: int, champion: str | None, last_row: int) -> SignalRaised:
    """A training that gave no release: a signal that stands until one does, whatever the windows say.

    Args: failures: how many failed in a row, this one included.
    """
    signal = Signal(
        signal="training",
        level="act",
        value=float(failures),
        limit=0.0,
        release=champion or "",
        window=0,
        first_row=last_row,
        last_row=last_row,
        consecutive=failures,
        detail=error.strip().splitlines()[0] if error.strip() else "",
    )
    return SignalRaised(service=ServiceName(service), signal=signal)
