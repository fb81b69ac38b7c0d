"""How much a model makes its own world: rows that it caused, a holdback beside it, and how fast its answers move."""

from typing import Literal

from flyball.core.record import Record
from flyball.core.release import Estimate


class ArmDifference(Record):
    """One other arm beside the champion, over the rows judged since the champion began to serve."""

    arm: str
    rows: int  # labelled, of that arm
    champion_rows: int
    verdict: Literal["OK", "INSUFFICIENT"]
    reason: str = ""
    label: Estimate | None = None  # mean label under the champion minus under the arm; of many classes: none
    loss: Estimate | None = None  # mean row loss (error, absolute) of the champion minus the arm's; positive = worse


class OutputChange(Record):
    """How far the answers moved from the window before to this one."""

    of: str  # `share of yes`, `mean score`, `mean prediction`
    change: Estimate | None  # in its own unit, signed; 99.9 %; None: too few answers
    limit: float  # of its size, in the same unit
    beyond: bool  # surely beyond: the whole interval is


class SelfInfluence(Record):
    """What a retraining would learn from now that the model had a hand in, and what is known without it."""

    captured: int  # labelled rows that a retraining may use, the newest ones
    caused: int  # of these, rows that a release answered itself: its answer may have made the label
    share: Estimate | None  # caused rows among the training rows, older source rows included; None: nothing is captured
    arms: tuple[ArmDifference, ...] = ()
    outputs: OutputChange | None = None  # None: no window before
