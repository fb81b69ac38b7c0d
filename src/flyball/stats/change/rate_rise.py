"""Has a rate risen to several times what it was? A cumulative sum against the rate before.

A suspicion, not a finding: the rate before is an estimate, and a cause that is nobody's fault raises rates too. Who
acts on it may only do what costs an innocent one little (look closer, take less traffic). It is fast where the
comparison of two arms is not: with nearly all units at one arm an error says little of whose fault it is, and much of
whether something has changed.

The sum of log-likelihood ratios of FACTOR times the rate over the rate itself, Poisson, never below 0 (Page 1954). The
rate before is that of the step before, if it had events enough, and of what this step has had since; it stands still
while the sum is above 0, so what is suspected does not teach.

A bound that stays is reached sooner or later by every steady rate: once in some 3,000 of its events. So the bound rises
with the events that have been seen (`risen`), as slowly as ln n: then the false suspicions of a rollout are a finite
number however long it is, about 0.2, and what rises after 5,000 healthy events has to raise the sum by 5 nats more,
which are 4 to 5 events at ten times the rate.

An exposure is a request of a unit at risk, that is, one without an event in this step: an event counts once a unit and
step.

Whether it still is so in the step that begins with the suspicion is Wald's test of the same two rates: it is over at
ln(beta), and one that goes on at FACTOR times the rate is taken for that with probability beta at most.
"""

import math

from flyball.core.record import Record

FACTOR = 4.0  # times the rate before; what more than doubles it (ratio 2.16) raises the sum
RISEN = math.log(1000)  # nats, of the first event; ten times the rate comes here in about 7 events
SCALE = 500.0  # events after which the bound begins to rise
_ENOUGH = 10  # events of a step, to stand for what is usual


def risen(events: int) -> float:
    """The sum at which a rate is suspected to have risen, nats: RISEN + 2 ln(1 + events/SCALE).

    With a bound of b a steady rate is suspected at an event with a probability of the order of exp(-b) (Lorden 1971).
    So over all events together the expected number is finite: at most SCALE times what it is for the first.

    Args: events: of the candidate in this rollout so far, count.

    >>> [round(risen(events), 2) for events in (0, 100, 5_000)]
    [6.91, 7.27, 11.7]
    """
    return RISEN + 2 * math.log1p(events / SCALE)


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
        before = _cautious(self.before_events, self.before_exposures)
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
        """Events an exposure so far, one standard error too high.

        >>> RateRise().usual, RateRise(step_events=99, step_exposures=9_999).usual
        (2.0, 0.011)
        """
        return _cautious(self.before_events + self.step_events, self.before_exposures + self.step_exposures)


def _cautious(events: float, exposures: float) -> float:
    """A rate of which too little is known is not to be taken for a low one: from its first events one in nine healthy
    rollouts would take it for less than half of what it is, and what is usual for a rise."""
    return (events + 1 + math.sqrt(events + 1)) / (exposures + 1)


def _gained(events: int, exposures: int, rate: float) -> float:
    """What a Poisson count says for FACTOR times the rate over the rate, nats."""
    return events * math.log(FACTOR) - (FACTOR - 1) * rate * exposures
