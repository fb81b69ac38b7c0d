"""Sample-ratio mismatch over a whole rollout: the evidence of each routing epoch, multiplied.

Weights ramp, and each epoch has shares of its own. Within one, `ratio_log_e` is a martingale while the arms get their
shares; the next one starts from where it stands. The product is a martingale too, for any weights that are set before
the units come, so P(ever >= ln(1/alpha)) <= alpha for the rollout as a whole. A test that starts anew with each epoch
has a chance of a false alarm in each.

Counts of epochs are kept apart and only added, so the order in which workers and panes report does not matter.
"""

import math
from collections.abc import Sequence

from flyball.core.record import Record
from flyball.stats.experiment.ratio_mismatch import ratio_log_e


class RatioEpoch(Record):
    """Units first seen under one set of weights."""

    epoch: int  # routing epoch
    shares: tuple[float, ...]  # promised, one for each arm, sum 1; 0: this arm gets nothing
    counts: tuple[int, ...]  # units of each arm

    @property
    def log_e(self) -> float:
        """Evidence of this epoch alone, nats; infinite if an arm of share 0 got a unit."""
        if any(count and not share for count, share in zip(self.counts, self.shares, strict=True)):
            return math.inf
        used = [at for at, share in enumerate(self.shares) if share]
        return ratio_log_e([self.counts[at] for at in used], [self.shares[at] for at in used])


class RatioEpochs(Record):
    """All epochs of a rollout. Merging is addition."""

    epochs: tuple[RatioEpoch, ...] = ()  # in order of their number

    def plus(self, epoch: int, shares: Sequence[float], counts: Sequence[int]) -> "RatioEpochs":
        """With these units more, of one routing epoch.

        Args: epoch: its number. shares: promised in it, >= 0, sum 1. counts: units of each arm, first seen.
        Raises: ValueError: faulty shares or counts, or other shares than this epoch was known with.

        >>> state = RatioEpochs().plus(1, [0.5, 0.5], [600, 400]).plus(2, [0.9, 0.1], [9120, 880])
        >>> round(state.log_e, 6)
        23.057462
        """
        _check(shares, counts)
        known = {each.epoch: each for each in self.epochs}
        before = known.get(epoch, RatioEpoch(epoch=epoch, shares=tuple(shares), counts=(0,) * len(counts)))
        if before.shares != tuple(shares):
            raise ValueError(f"epoch {epoch}: expected its shares {list(before.shares)}, found {list(shares)}")
        added = tuple(a + b for a, b in zip(before.counts, counts, strict=True))
        known[epoch] = RatioEpoch(epoch=epoch, shares=before.shares, counts=added)
        return RatioEpochs(epochs=tuple(known[number] for number in sorted(known)))

    def merge(self, other: "RatioEpochs") -> "RatioEpochs":
        """Both together; they must not share a unit."""
        found = self
        for each in other.epochs:
            found = found.plus(each.epoch, each.shares, each.counts)
        return found

    @property
    def log_e(self) -> float:
        """Evidence against "every epoch kept its shares", nats: the sum over epochs.

        A p-value, and a reading of it at any time: `anytime_p`. Of two that are merged neither may be read any more:
        the best of several e-values is none.
        """
        return sum(each.log_e for each in self.epochs)


def _check(shares: Sequence[float], counts: Sequence[int]) -> None:
    if len(counts) != len(shares) or not counts or min(counts) < 0:
        raise ValueError(f"expected one count >= 0 for each share, found {list(counts)} and {list(shares)}")
    if not min(shares) >= 0 or not abs(sum(shares) - 1) <= 1e-9:
        raise ValueError(f"expected shares >= 0 that sum to 1, found {list(shares)}")
