"""The way in to one service's plain route while it turns requests away: refused before anything of them is read.

Every row is counted all the same: its id is issued and told, and it stands in the log as `shed`. What it holds, whose
it is and which arm it would have had is not looked at.
"""

from typing import NamedTuple

from flyball.core.routing import Routing
from flyball.serving.protocols.unread import Words, rows_in
from flyball.serving.serve.answering.served import Served
from flyball.serving.unread import Unread


class Refused(NamedTuple):
    status: int
    body: bytes
    retry_after_s: int


class Turnstile:
    """Of one service in one worker."""

    def __init__(self, served: Served) -> None:
        self._served, self._words = served, Words(served.name)
        self._most = served.core.service.serving.max_rows

    def closed(self) -> bool:
        """Whether a request that says nothing about itself would be refused now, as one was within the last second.

        Those who open the gate again are asked the long way: their words are in one place.
        """
        served = self._served
        if not served.overloads.turning_away or served.cohort or served.refused:
            return False
        served.look()
        routing = served.core.routing
        return routing is not None and served.full(routing) and not served.catches(routing)

    def passes(self) -> bool:
        """Whether one would find no room now and be answered all the same, by a link of the fallback chain."""
        served = self._served
        if not served.overloads.turning_away or served.refused:
            return False
        routing = served.core.routing
        return routing is not None and served.full(routing) and served.catches(routing)

    def refuse(self, body: bytes | bytearray) -> Refused | None:
        """Turn a request away that says nothing about itself; None: it has to go the long way."""
        rows = rows_in(body, max_rows=self._most) if self.closed() else None
        routing = self._served.core.routing
        if rows is None or routing is None:
            return None
        reason = self._served.turned_away(routing, rows)
        return None if reason is None else self._recorded(routing, rows, reason)

    def _recorded(self, routing: Routing, rows: int, reason: str) -> Refused:
        served = self._served
        at = [served.clock.now().timestamp()] * rows
        ids = served.core.turned_away(at)
        served.capture.offer_unread(
            Unread(reason=reason, release=routing.champion, epoch=routing.epoch, ids=ids, at=at)
        )
        served.tally.turned_away(rows)
        served.statistics.turned_away(routing.champion)
        return Refused(*self._words.told(reason, ids), served.overloads.retry_after_s)
