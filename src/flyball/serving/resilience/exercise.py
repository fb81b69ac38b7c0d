"""Which link of the fallback chain is to be exercised, and how it did: a stand-in that nobody has tried is a hope.

Once a period (a week) each link of the chain is asked by itself, about a few rows that their arm has just answered:
after the client has its answer, and never under pressure. Periods are counted from the epoch, so a gateway that starts
again, or a worker that takes over from one that ended, names its finding alike, and the ledger takes it once. One of
several workers exercises for all (`serve.answering.duty`).
"""

from collections import Counter
from collections.abc import Sequence

from flyball.core.declared.serving import Compare, Exercising
from flyball.core.facts.fallback import FallbackExercised
from flyball.core.ids import ServiceName
from flyball.core.prediction import Answer, Failure
from flyball.serving.compare import agree


class Exercise:
    """Of one service in one worker. Times are seconds since the epoch, handed in."""

    def __init__(
        self, service: ServiceName, links: Sequence[str], declared: Exercising, compare: Compare | None
    ) -> None:
        """`links`: names, in the order of the chain, each once. `compare`: when two answers say the same."""
        self._service, self.links, self._declared, self._compare = service, links, declared, compare
        self._done: dict[str, int] = {}  # link -> the period in which it was exercised last
        self._link = ""
        self._asked = self._answered = self._agreed = self._open = 0
        self._reasons: Counter[str] = Counter()

    @property
    def share(self) -> float:
        return self._declared.share

    def due(self, now: float) -> str | None:
        """The link to ask about the next row; None: all have been asked enough, or their answers are on their way."""
        if self._link and self._asked < self._declared.rows:
            return self._link
        if self._link:
            return None  # the last answers are on their way
        period = self.period(now)
        link = next((link for link in self.links if self._done.get(link) != period), None)
        if link is not None:
            self._link, self._asked, self._answered, self._agreed = link, 0, 0, 0
            self._reasons = Counter()
        return link

    def asked(self) -> None:
        """One row is on its way to the link that was due."""
        self._asked += 1
        self._open += 1

    def told(self, given: Answer | Failure | None, own: Answer, now: float) -> FallbackExercised | None:
        """What the link said, and what its arm had said; the finding, with the last row."""
        self._open -= 1
        if isinstance(given, Answer):
            self._answered += 1
            self._agreed += agree(self._compare, own, given)
        else:
            self._reasons[given.reason if given is not None else "nothing to say"] += 1
        if self._open or self._asked < self._declared.rows:
            return None
        link, self._link = self._link, ""
        self._done[link] = self.period(now)
        return FallbackExercised(
            service=self._service,
            link=link,
            period=self.period(now),
            rows=self._asked,
            answered=self._answered,
            agreed=self._agreed,
            reasons=dict(self._reasons),
        )

    def period(self, now: float) -> int:
        return int(now // self._declared.every_s)
