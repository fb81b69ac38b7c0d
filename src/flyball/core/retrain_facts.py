"""The facts of what asks for a retraining from outside."""

from flyball.core.declared_kinds import TriggerSource
from flyball.core.fact import Fact, Proof


class TriggerReceived(Fact, tag="trigger.received"):
    """Somebody says that something is new: a commit, a tag, an edition of the data, whatever a webhook means."""

    source: TriggerSource
    reference: str  # what is new, in the sender's words: a commit, a tag, an edition
    key: str  # the same key of the same source is the same message, however often it comes
    by: str
    proof: Proof
    why: str = ""
