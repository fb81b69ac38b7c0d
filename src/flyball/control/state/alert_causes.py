"""Which cause a signal or a sign of health is of: what alerts of one cause share, whoever saw it."""

from typing import Final

from flyball.core import health
from flyball.core.watching import Signal

OF_SUPPLY: Final = ("upstream", *health.OF_SUPPLY)  # families of causes: what somebody before us delivers
# no row comes: there is nothing to answer and nothing to keep out, and what came before is good; people are alerted
SILENCE: Final = "freshness"
OF_SIGNAL = {  # kind of a signal -> family of its cause; the data's quality is one cause, whichever features show it
    "psi": "drift",
    "shift": "drift",
    "risk": "quality",
    "quality": "data_quality",
    "error": "errors",
    "latency": "latency",
    "training": "training",
    "capture": "capture",
}


def cause_of(kind: str, feature: str | None) -> str:
    """The fingerprint of a signal's cause.

    >>> cause_of("psi", "amount"), cause_of("quality", "amount"), cause_of("error", None)
    ('drift/amount', 'data_quality', 'errors')
    """
    family = OF_SIGNAL.get(kind, kind)
    return f"{family}/{feature}" if feature and family == "drift" else family


def alarming(signal: Signal) -> bool:
    """Whether it is beyond what is only noted."""
    return signal.level == "act"


def family(cause: str) -> str:
    """The first part of a fingerprint.

    >>> family("drift/amount")
    'drift'
    """
    return cause.partition("/")[0]
