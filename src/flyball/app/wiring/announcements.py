"""The announcer of a process: what its ledger tells the destinations that a service has declared."""

import logging
import threading
from collections.abc import Sequence

from flyball.core.ledger import Entry, Message
from flyball.core.outbox import History
from flyball.registry.telling.known import Known, fold
from flyball.registry.telling.messages import messages

_LOG = logging.getLogger(__name__)


class Announcements:
    """`core.outbox.Announcer`. Holds what it has read of each service, so that a fact costs what came since.

    Only committed entries are kept: those of a transaction that is still open are folded into a copy, so that one
    that is rolled back leaves nothing behind.
    """

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._lock = threading.Lock()

    def prepare(self, subject: str, history: History) -> None:
        with self._lock:
            self._catch_up(subject, history, before=None)

    def messages(self, entries: Sequence[Entry], history: History) -> Sequence[Message]:
        subject = entries[0].subject
        with self._lock:
            try:
                state = self._catch_up(subject, history, before=entries[0].seq)
                return tuple(messages(state, entries))
            except Exception:  # the fact comes first: a fault of ours in telling it must not keep it off the ledger
                _LOG.exception("%s: entries from %d on are told to nobody", subject, entries[0].seq)
                return ()

    def _catch_up(self, subject: str, history: History, *, before: int | None) -> Known:
        state = self._known.get(subject, Known())
        for entry in history(state.seq):
            if before is not None and entry.seq >= before:
                break
            state = fold(state, entry)
        self._known[subject] = state
        return state
