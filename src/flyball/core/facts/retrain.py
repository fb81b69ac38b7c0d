"""The facts of what outside says of retrainings: what is new, who agrees, what one was worth."""

from typing import Literal

from flyball.core.declared.kinds import Remedy, TriggerSource
from flyball.core.fact import Fact, Proof


class TriggerReceived(Fact, tag="trigger.received"):
    """Somebody says that something is new: a commit, a tag, an edition of the data, whatever a webhook means."""

    source: TriggerSource
    reference: str  # what is new, in the sender's words: a commit, a tag, an edition
    key: str  # the same key of the same source is the same message, however often it comes
    by: str
    proof: Proof
    why: str = ""


class TicketApproved(Fact, tag="ticket.approved"):
    """A person agrees that the loop trains for a ticket, when nothing else is in the way."""

    ticket: str
    by: str
    proof: Proof
    why: str = ""
    alone: bool = False  # they had asked for it themselves, and nobody else may


class RemedyReviewed(Fact, tag="remedy.reviewed"):
    """A person says what a retraining, or another remedy, was worth, and its ladder moves, or does not."""

    ticket: str  # or the remedy's id
    verdict: Literal["good", "harmful", "useless"]
    by: str
    proof: Proof
    why: str
    rung: Remedy  # where it stands from now on
    steps: int  # rungs: earned, or (below 0) taken away
    good: int  # good outcomes since the last step
    moved: str  # why the ladder stands there
    remedy: str = "retrain"  # whose ladder; of another kind with the kind of its cause: `fall_back/errors`
