"""Has a rate risen to several times what it was? A cumulative sum against the rate before.

A suspicion, not a finding: the rate before is an estimate, and a cause that is nobody's fault raises rates too. Who
acts on it may only do what costs an innocent one little (look closer, take less traffic). It is fast where the
comparison of two arms is not: with nearly all units at one arm an error says little of whose fault it is, and much of
whether something has changed.

The sum of log-likelihood ratios of FACTOR times the rate over the rate itself, Poisson, never below 0 (Page 1954). The
rate before is that of the step before, if it had events enough, and of what this step has had since; it stands still
while the sum is above 0, so what is suspected does not teach.

Whether it still is so in the step that begins with the suspicion is Wald's test of the same two rates: it is over at
ln(beta), and one that goes on at FACTOR times the rate is taken for that with probability beta at most.
"""

import math

from flyball.core.record import Record

FACTOR = 4.0  # times the rate before; what more than doubles it (ratio 2.16) raises the sum
RISEN = math.log(1000)  # nats; ten times the rate comes here in about 7 events
_ENOUGH = 10  # events of a step, to stand for what is usual


class RateRise(Record):
    """Of one guardrail and one candidate."""

    log_rise: float = 0.0  # nats, at least 0
    rate: float = 0.0  # events an exposure that are usual, while the sum is above 0
    step_events: float = 0.0  # of this step, both arms, count
    step_exposures: float = 0.0
    before_events: float = 0.0  # of the step, or the steps, before
    before_exposures: float = 0.0
    log_still: float = 0.0  # of FACTOR times the rate before over the rate before, in this step, nats

    def observe(self, own_events: int, own_exposures: int, events: int, exposures: int) -> "RateRise":
        """With some more: of the candidate, and of both arms (the candidate's among them), counts.

        >>> usual = RateRise().observe(0, 0, 10, 10_000)
        >>> usual.observe(8, 800, 8, 800).log_rise > RISEN
        True
        """
        rate = self.rate if self.log_rise > 0 else self.usual
        before = (self.before_events + 1) / (self.before_exposures + 1)
        return RateRise(
            log_rise=max(0.0, self.log_rise + _gained(own_events, own_exposures, rate)),
            rate=rate,
            step_events=self.step_events + events,
            step_exposures=self.step_exposures + exposures,
            before_events=self.before_events,
            before_exposures=self.before_exposures,
            log_still=self.log_still + _gained(own_events, own_exposures, before),
        )

    def another_step(self) -> "RateRise":
        """From here on, with other shares: what was suspected has been acted on."""
        if self.step_events >= _ENOUGH:
            return RateRise(before_events=self.step_events, before_exposures=self.step_exposures)
        return RateRise(
            before_events=self.before_events + self.step_events,
            before_exposures=self.before_exposures + self.step_exposures,
        )

    @property
    def usual(self) -> float:
        """Events an exposure so far, a little too high where little was seen.

        >>> RateRise().usual, RateRise(step_events=9, step_exposures=999).usual
        (1.0, 0.01)
        """
        return (self.before_events + self.step_events + 1) / (self.before_exposures + self.step_exposures + 1)


def _gained(events: int, exposures: int, rate: float) -> float:
    """What a Poisson count says for FACTOR times the rate over the rate, nats."""
    return events * math.log(FACTOR) - (FACTOR - 1) * rate * exposures
