"""The counters of all workers of a service as one: each slot's part of the running step and of its rollout, added.

Theory of operation. Workers turn to a new table one after the other, within milliseconds, and each slot says by its
keys which step and which rollout its numbers belong to. A slot of the running step counts whole; one that is still in
another step of this rollout counts for the rollout alone; any other not at all. A slot that turns its page right now
says so (`step_key` 0 until it is done) and is read again; one whose worker was killed just there counts again when the
worker is back.

Adding is right for the tests because no unit's event is counted by two workers (`counter_file.Units`): which units a
worker met, and which of them erred, says nothing of their arms if the arms fail alike, so each worker's share `w` is
the chance that the erring unit was the candidate's, and the log e-values of different events add.
"""

from collections.abc import Sequence

import msgspec

from flyball.core.routing import ArmCounts, Routing, StepCounts
from flyball.serving.counting.accounting import Accounting, merged, rollout_key, step_key
from flyball.serving.counting.counter_file import Slot

_TRIES = 50  # turning a page takes less than one of these reads


class Sums:
    """All slots of one service; it reads them and writes nothing."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.slots = tuple(slots)
        self._views = tuple(map(Accounting, slots))

    def counts(self, routing: Routing) -> StepCounts:
        """What all workers together have seen of this step."""
        nothing = StepCounts(service=routing.service, epoch=routing.epoch, rollout=routing.rollout, step=routing.step)
        parts = [_part(slot, view, routing) for slot, view in zip(self.slots, self._views, strict=True)]
        return merged(nothing, *(part for part in parts if part is not None))

    def first_candidate_at(self, routing: Routing) -> float | None:
        """When the candidate of this rollout answered first, seconds since the epoch; None: it has answered nobody."""
        key = rollout_key(routing)
        found = [view.first_candidate_at() for view in self._views if view.slot.count("rollout_key") == key]
        return min((at for at in found if at is not None), default=None)


def _part(slot: Slot, view: Accounting, routing: Routing) -> StepCounts | None:
    """One slot's part; None: it has none, or its worker was killed between two pages."""
    for _ in range(_TRIES):
        before = slot.count("step_key")
        same_rollout = slot.count("rollout_key") == rollout_key(routing)
        counts = view.counts(routing)
        if before != 0 and slot.count("step_key") == before:
            if not same_rollout:
                return None
            return counts if before == step_key(routing) else _of_the_rollout(counts)
    return None


def _of_the_rollout(counts: StepCounts) -> StepCounts:
    """Without what belongs to its step alone."""
    return msgspec.structs.replace(
        StepCounts(service=counts.service, epoch=counts.epoch, rollout=counts.rollout, step=counts.step),
        rollout_tests=counts.rollout_tests,
        rollout_candidate=counts.rollout_candidate,
        arms_=tuple(msgspec.structs.replace(each, step=ArmCounts()) for each in counts.arms) or msgspec.UNSET,
    )
