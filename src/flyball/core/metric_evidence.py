"""What matured labels say of the two arms of a rollout, metric by metric, and which rows may be compared for it."""

from flyball.core.ids import ReleaseRoot, RolloutId
from flyball.core.record import Record


class MetricTrial(Record):
    """The running rollout as the monitor needs it: under which weight a row's unit was assigned."""

    rollout: RolloutId
    candidate: ReleaseRoot
    epoch: int  # first of the running step: those after it are of the same step, with other shares
    weights: dict[int, int] = {}  # routing epoch -> the candidate's share of units, of 10,000


class MetricEvidence(Record):
    """One metric over all rows, or over one group of a slice."""

    name: str
    group: str = ""  # of a declared slice; empty: all rows
    candidate: int = 0  # units with a matured label
    champion: int = 0
    candidate_mean: float | None = None  # in the metric's unit; None: no unit yet
    champion_mean: float | None = None
    log_e_worse: float = 0.0  # for "worse by more than the margin", nats: the largest so far; of a group, as it stands
    log_e_fine: float = 0.0  # for "not worse by the margin", of the running step's units alone, nats
    step_candidate: int = 0  # units of the running step
    step_champion: int = 0
    log_e_arms: float = 0.0  # that labelled units do not come from the arms as they were assigned, nats
    full: bool = False  # too many units to tell them apart: no more are counted
