"""One guardrail: who is at risk, who was seen since the last event, and the two tests that events move.

The theory is in `accounting.py`; the formula in `stats.sequential.increment`.
"""

from flyball.serving.counting.counter_file import FLOAT, INT, Bitmap, Slot
from flyball.stats.sequential_tests.change_point import BOLDER
from flyball.stats.sequential_tests.sequential import increment

_SHADOW_ERRED, _PAIR_COUNTED = 0x5A5A5, 0xA5A5A  # where in the bitmap of done units the shadow's own marks are


class Interval:
    """Views on the slot; it holds no state of its own."""

    def __init__(self, slot: Slot, name: str, done: Bitmap, seen: Bitmap) -> None:
        self._ints, self._floats, self._done, self._seen = slot.ints, slot.floats, done, seen
        self._units, self._candidates = INT[f"{name}_interval"], INT[f"{name}_interval_candidate"]
        self._again = FLOAT[f"again_champion_{name}"]  # the candidate's is the next
        self._step, self._rollout, self._bolder = (FLOAT[f"{sums}_{name}"] for sums in ("step", "rollout", "bolder"))

    def observe(self, is_candidate: bool, place: int, event: bool, ratio: float | None) -> bool:
        """One row of a unit; True if it is the unit's first event of this kind in the step."""
        if place in self._done:
            if ratio is not None:
                self._floats[self._again + is_candidate] += 1.0
            return False
        if ratio is not None and self._seen.add(place):
            self._ints[self._units] += 1
            self._ints[self._candidates] += is_candidate
        if not event:
            return False
        self._done.add(place)
        if ratio is not None:
            # a shared bit may have hidden the erring unit from its interval: then it is the only one known
            units = self._ints[self._units]
            self._gain(is_candidate, self._ints[self._candidates] / units if units else 0.0, ratio)
            self._begin()
        return True

    def pair(self, place: int, shadow: bool, champion: bool, ratio: float | None) -> bool:
        """One mirrored row; True if it is the unit's first event at the shadow in the step."""
        if shadow != champion and ratio is not None and place ^ _PAIR_COUNTED not in self._done:
            self._done.add(place ^ _PAIR_COUNTED)
            self._gain(shadow, 0.5, ratio)
        return shadow and self._done.add(place ^ _SHADOW_ERRED)

    def restart(self) -> None:
        """Another step: everyone is at risk again."""
        self._done.clear()
        self._floats[self._again] = self._floats[self._again + 1] = 0.0
        self._begin()

    def _begin(self) -> None:
        self._ints[self._units] = self._ints[self._candidates] = 0
        self._seen.clear()

    def _gain(self, is_candidate: bool, w: float, ratio: float) -> None:
        log_e = increment(is_candidate, w, ratio)
        self._floats[self._step] += log_e
        self._floats[self._rollout] += log_e
        self._floats[self._bolder] += increment(is_candidate, w, BOLDER * ratio)
