"""Facts about the fallback chain: that a link was tried while nobody needed it, and whether it would have answered."""

from flyball.core.fact import Fact


class FallbackExercised(Fact, tag="fallback.exercised"):
    """One link, asked by itself about rows that their arm had answered. No client saw its answers."""

    link: str  # previous, cached, rule, constant
    period: int  # which turn it was: time since the epoch over the interval; each link has one a period
    rows: int
    answered: int
    agreed: int  # answers that say what the client got
    reasons: dict[str, int] = {}  # why there was no answer, and how often
