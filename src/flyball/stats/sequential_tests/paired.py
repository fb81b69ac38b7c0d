"""Shadow pairs with labels: was the candidate or the champion right, where only one of them was?"""

from dataclasses import dataclass, replace

from flyball.stats.scoring.intervals import Interval, difference_of_shares
from flyball.stats.sequential_tests.sequential import accept_bound, rollback_bound
from flyball.stats.sequential_tests.sprt import Finding, judged, steps


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """Shadow pairs with labels: both arms answered the same row, and exactly one of them was right (McNemar).

    Among discordant pairs an equal candidate is the wrong one half the time; `worse_share` is the share that is worth
    stopping for. Concordant pairs say nothing about the difference and move nothing but the count.
    """

    worse_share: float = 0.60  # theta1, P(a discordant pair speaks against the candidate) if it is worse
    pairs: int = 0  # rows both arms answered and whose label has come, count
    candidate_only: int = 0  # pairs in which the candidate alone was right, count
    champion_only: int = 0  # pairs in which the champion alone was right, count

    def __post_init__(self) -> None:
        if not 0.5 < self.worse_share < 1:
            raise ValueError(f"worse_share={self.worse_share}: expected a share in (0.5, 1)")

    def observe(self, candidate_right: bool, champion_right: bool) -> "PairedTest":
        """With one labelled pair more.

        >>> PairedTest().observe(True, False).observe(True, True).difference().value
        0.5
        """
        return replace(
            self,
            pairs=self.pairs + 1,
            candidate_only=self.candidate_only + (candidate_right and not champion_right),
            champion_only=self.champion_only + (champion_right and not candidate_right),
        )

    def merge(self, other: "PairedTest") -> "PairedTest":
        """Both streams together; they must not share a pair."""
        if other.worse_share != self.worse_share:
            raise ValueError(f"tests of different designs do not add: {self.worse_share} and {other.worse_share}")
        return replace(
            self,
            pairs=self.pairs + other.pairs,
            candidate_only=self.candidate_only + other.candidate_only,
            champion_only=self.champion_only + other.champion_only,
        )

    @property
    def log_e(self) -> float:
        """Log-likelihood ratio of "worse" over "the same", nats.

        >>> round(PairedTest(pairs=1, champion_only=1).log_e, 6)
        0.182322
        """
        up, down = steps(0.5, self.worse_share)
        return self.champion_only * up + self.candidate_only * down

    def verdict(self, *, alpha: float = 0.05, beta: float = 0.10) -> Finding:
        """WORSE at ln(1/alpha), NOT_WORSE at ln(beta): both by Ville, so either may be read after every pair.

        >>> PairedTest(pairs=100, champion_only=20).verdict().value
        'worse'
        """
        return judged(self.log_e, rollback_bound(alpha, 1), accept_bound(beta))

    def difference(self, *, confidence: float = 0.95) -> Interval:
        """Share right, candidate minus champion, with its fixed-sample interval; for the evidence, not for stopping.

        Raises: NotEnoughData: no pairs.
        """
        return difference_of_shares(self.candidate_only, self.champion_only, self.pairs, confidence=confidence)
