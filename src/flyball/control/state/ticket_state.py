"""What of a retraining is remembered: the ticket that is open, and messages that no training has answered."""

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.declared.kinds import Remedy, Trigger, TriggerSource
from flyball.core.record import Record


class TicketState(Record):
    """A retraining that is wanted."""

    ticket: str
    reason: e.Reason
    opened_at: str
    row: int
    opened: e.TicketOpened
    approved: e.TicketApproved | None = None
    ordered: e.RetrainOrdered | None = None
    release: str | None = None  # what came of it
    failed: str | None = None


class Asked(Record):
    """A message that says that something is new, which no training has answered so far; the newest of its trigger."""

    received: e.TriggerReceived
    at: str
    messages: int = 1  # of this trigger since the last training


def asked_anew(ticket: TicketState | None, rung: Remedy | None) -> TicketState | None:
    """What was agreed to was agreed to at another rung, or under another policy."""
    if ticket is None or ticket.ordered is not None:
        return ticket
    return replace(ticket, approved=None, opened=replace(ticket.opened, rung=rung))


def trigger_of(source: TriggerSource) -> Trigger:
    """The trigger that listens to a source: a tag names a commit."""
    return "commit" if source == "tag" else source
