"""Whether the prediction log loses records: a signal that stands from the first loss until whole panes come again.

Two witnesses. A sealed pane says how many of its rows were dropped, but a full disk seals no pane; the gateway's own
count of drops, asked at each tick, says it at once. Neither is about a champion or a window: the signal says that what
is concluded from the log rests on less than what happened.
"""

from flyball.core.events import SignalCleared, SignalRaised
from flyball.core.ids import ServiceName
from flyball.core.watching import Pane, Signal

WHOLE_PANES = 3  # panes in a row without a loss that end it: a disk on the brink must not fill the ledger


class LostRecords:
    """What the witnesses said, in the order in which they said it; feeding all panes again gives the same."""

    def __init__(self) -> None:
        self._counted: int | None = None  # the gateway's drops in its step, when last asked
        self._rows = self._of = 0  # lost, of how many received, since the signal stands
        self._first_row = self._last_row = 0
        self._whole = WHOLE_PANES  # panes without a loss since

    @property
    def losing(self) -> bool:
        return self._whole < WHOLE_PANES

    def pane(self, pane: Pane) -> None:
        """The next sealed one. One without rows says nothing."""
        if not pane.received:
            return
        self._last_row = pane.last_row
        if not pane.dropped:
            self._whole += 1
            return
        self._lost(pane.dropped, pane.received, pane.first_row)

    def counted(self, dropped: int | None) -> None:
        """What the gateway has counted since its step began; None: no gateway answers. The first count is no news."""
        if dropped is None:
            return
        known, self._counted = self._counted, dropped
        new = 0 if known is None else dropped - known if dropped >= known else dropped  # less: another step began
        if new:
            self._lost(new, 0, self._last_row)

    def asked_anew(self) -> None:
        """The gateway's next count is the first one again: nobody knows what was counted meanwhile."""
        self._counted = None

    def fact(self, service: str, champion: str | None, *, standing: bool) -> SignalRaised | SignalCleared | None:
        """What the ledger does not know yet. `standing`: the signal is on it."""
        name = ServiceName(service)
        if self.losing and not standing:
            share = f" of {self._of} received" if self._of else ""
            signal = Signal(
                signal="capture",
                level="act",
                value=float(self._rows),
                limit=0.0,
                release=champion or "",
                window=0,
                first_row=self._first_row,
                last_row=max(self._first_row, self._last_row),
                detail=f"{self._rows} records{share} are not in the prediction log",
            )
            return SignalRaised(service=name, signal=signal)
        if standing and not self.losing:
            return SignalCleared(service=name, signal="capture")
        return None

    def _lost(self, rows: int, received: int, first_row: int) -> None:
        if not self.losing:
            self._rows, self._of, self._first_row = 0, 0, first_row
        self._rows, self._of, self._whole = self._rows + rows, self._of + received, 0
