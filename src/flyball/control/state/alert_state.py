"""Alerts of a service: who was told what and has not finished with it, and what is silenced."""

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.record import Record


class OpenAlert(Record):
    raised: e.AlertRaised
    at: str  # RFC 3339, UTC
    acked: e.AlertAcked | None = None
    level: int = 0  # of escalation
    told_at: str = ""  # when somebody was told last


class AlertBook(Record):
    open: dict[str, OpenAlert] = {}  # by cause
    held: dict[str, e.AlertHeld] = {}  # by cause: due, and nobody was told
    silences: dict[str, e.AlertsSilenced] = {}  # by id
    resolved: dict[str, tuple[str, ...]] = {}  # by cause: when it was resolved, newest last: flaps are seen in it

    def named(self, alert: str) -> OpenAlert | None:
        return next((each for each in self.open.values() if each.raised.alert == alert), None)


REMEMBERED = 10  # resolutions of a cause


def folded(book: AlertBook, fact: e.AnyFact, at: str) -> AlertBook:
    """One fact further; one that is of no alert changes nothing."""
    match fact:
        case e.AlertRaised(test=False, cause=cause):
            held = {each: one for each, one in book.held.items() if each != cause}
            return replace(book, open=book.open | {cause: OpenAlert(raised=fact, at=at, told_at=at)}, held=held)
        case e.AlertHeld(cause=cause):
            return replace(book, held=book.held | {cause: fact})
        case e.AlertAcked(alert=alert) if (one := book.named(alert)) is not None:
            return replace(book, open=book.open | {one.raised.cause: replace(one, acked=fact)})
        case e.AlertEscalated(alert=alert, level=level) if (one := book.named(alert)) is not None:
            return replace(book, open=book.open | {one.raised.cause: replace(one, level=level, told_at=at)})
        case e.AlertResolved(alert=alert) if (one := book.named(alert)) is not None:
            cause = one.raised.cause
            times = (*book.resolved.get(cause, ()), at)[-REMEMBERED:]
            left = {each: other for each, other in book.open.items() if each != cause}
            return replace(book, open=left, resolved=book.resolved | {cause: times})
        case e.AlertsSilenced(silence=name):
            return replace(book, silences=book.silences | {name: fact})
        case e.SilenceEnded(silence=name):
            return replace(book, silences={each: one for each, one in book.silences.items() if each != name})
        case _:
            return book
