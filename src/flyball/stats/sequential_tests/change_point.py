"""Evidence that a candidate is worse, or has become so: a mixture over when it began, never a restart.

Theory of operation. The likelihood ratio of a whole rollout (`sequential`) pays for every healthy day: each good event
lowers it, and a candidate that turns bad has to undo all of that first. A test that is restarted at will does not, and
errs as often as it is restarted. Between the two lies a mixture whose shares are fixed beforehand. Let L(s..t) be the
likelihood ratio of the events after s, and p(s) shares that add up to at most 1. Then

    E(t) = sum over s < t of p(s) L(s..t)  +  what has not begun yet

has mean 1 if the candidate is no worse, because each term has; so P(E ever reaches 1/alpha) <= alpha (Ville), for the
whole rollout. A share may be fixed at the moment when its bet begins, by all that was seen before, and by nothing that
comes after. A candidate that turns bad at s costs ln(1/p(s)), whatever was before. One number carries all bets that
have begun: W <- (W + p) L.

Three kinds of share. FIRST begins with the rollout: a canary is judged by it at a price of ln(1/FIRST). ANY is handed
out event by event, as (n/C)^-TAIL of it is left after n of them: late enough for a soak of weeks, and without a scale.
REASON is kept for moments at which somebody had a reason to look again (the weight was lowered on a suspicion): each
gets half of what is left.

Each share is a mixture of two alternatives, as bad as declared and BOLDER times that. What is ten times worse shows
sooner to a test that expects it, above all with nearly all traffic.

Source: Shiryaev 1963 and Roberts 1966 (the recursion); Ville 1939; Shin, Ramdas and Rinaldo 2022 (e-detectors).
"""

import math

from flyball.core.record import Record

FIRST, REASON, ANY = 0.70, 0.15, 0.15  # shares; they add up to 1
BOLDER = 5.0  # times the declared ratio: the other alternative
FIRST_SPLIT, LATER_SPLIT = (0.75, 0.25), (0.5, 0.5)  # declared, bolder
_SCALE, _TAIL = 20.0, 0.25  # of the law by which ANY is handed out

NEVER = -math.inf
Both = tuple[float, float]  # of the two alternatives: declared, bolder


class ChangePointEvidence(Record):
    """The bets of one guardrail that began after the rollout did. Those that began with it need no state but its sums.

    >>> state = ChangePointEvidence()
    >>> state.log_e((0.0, 0.0)), round(state.log_e((9.0, 12.0)), 2)  # nothing was seen; much spoke against it
    (0.0, 10.4)
    """

    log_begun: Both = (NEVER, NEVER)  # of all bets that have begun, nats
    events: int = 0  # of both arms so far, count
    any_left: float = ANY  # share
    reason_left: float = REASON  # share

    def observe(self, gained: Both, events: int, *, reason: bool = False) -> "ChangePointEvidence":
        """With some events more. Bets begin before them, so the shares know nothing of them.

        Args:
            gained: what the events added to the log-likelihood ratio of each alternative, nats.
            events: how many there were, count.
            reason: somebody had a reason, from what was seen before, to look again from here on.

        >>> state = ChangePointEvidence().observe((0.28, 0.6), 1)
        >>> state.any_left < ANY, state.reason_left == REASON
        (True, True)
        """
        share = self.any_left * _TAIL / (self.events + _SCALE) if events else 0.0
        kept = self.reason_left / 2 if reason else 0.0
        declared, bolder = (
            _log_plus(log, (share + kept) * part) + more
            for log, part, more in zip(self.log_begun, LATER_SPLIT, gained, strict=True)
        )
        return ChangePointEvidence(
            log_begun=(declared, bolder),
            events=self.events + events,
            any_left=self.any_left - share,
            reason_left=self.reason_left - kept,
        )

    def log_e(self, whole: Both) -> float:
        """Log of the mixture, nats: roll back at ln(G/alpha).

        Args: whole: log-likelihood ratio of each alternative over the whole rollout, nats.
        """
        if not self.events and whole == (0.0, 0.0):
            return 0.0  # exactly
        logs = [math.log(FIRST * part) + log for part, log in zip(FIRST_SPLIT, whole, strict=True)]
        logs += [*self.log_begun, math.log(self.any_left + self.reason_left)]
        largest = max(logs)
        return largest + math.log(sum(math.exp(log - largest) for log in logs))


def price(state: ChangePointEvidence, *, reason: bool) -> float:
    """What a bet that begins now has to earn before the mixture is at 1, at most, nats: ln(1/share).

    >>> round(price(ChangePointEvidence(), reason=True), 2), round(price(ChangePointEvidence(), reason=False), 2)
    (3.28, 6.97)
    """
    share = state.reason_left / 2 if reason else state.any_left * _TAIL / (state.events + _SCALE)
    return -math.log(share * min(LATER_SPLIT))


def _log_plus(log: float, share: float) -> float:
    """ln(exp(log) + share)."""
    if share == 0.0:
        return log
    if log == NEVER:
        return math.log(share)
    other = math.log(share)
    return max(log, other) + math.log1p(math.exp(-abs(log - other)))
