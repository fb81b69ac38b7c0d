"""What one run did and used: its steps, processor time, memory and graphics memory. All measured, none in a digest."""

from typing import Literal

from flyball.core.record import Record

How = Literal["done", "found", "left out"]
"""done: computed in this run; found: computed by an earlier one from the same inputs; left out: nobody asked for it."""

Ended = Literal["trained", "judged", "failed", "refused", "broken_off"]
"""judged: only the gates were judged again; refused: before it started; broken_off: killed with its trainer."""


class StepUse(Record):
    """One step of a run."""

    name: str
    seconds: float
    how: How = "done"


class Use(Record):
    """What a training used, from its start to the end of everything that it had started."""

    steps: tuple[StepUse, ...] = ()
    seconds: float = 0.0  # wall time
    cpu_s: float = 0.0  # processor seconds, user and system, of the training and what it waited for
    peak_rss_mb: float = 0.0  # most resident memory of its session at once, MB of 10**6 bytes
    gpu_mb: float | None = None  # most graphics memory; None: not measured, `gpu` says why
    gpu: str = ""
    ended: int = 0  # processes that it had left running, and that were ended with it
