"""The clients: one transaction a request, at a steady pace over real HTTP, and the labels a moment later.

Everything that the demo says about answers is counted here, where a client would see it.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np

from flyball.app.demo.traffic import USUAL, Regime, Transaction, transactions
from flyball.app.paced import Paced
from flyball.core.clock import Clock

MAX_IN_FLIGHT = 400  # clients that wait at once; beyond it the next one comes later
TIMEOUT_S = 30.0


@dataclass
class Arm:
    """What clients got from one release in one part."""

    answers: int = 0
    stood_in: int = 0  # answers that the fallback chain gave in its place
    first_at: float = 0.0  # loop time, seconds
    last_at: float = 0.0


@dataclass(frozen=True)
class Scored:
    """A request whose truth is known, for the demo's own look at quality."""

    number: int  # of the request, from 1
    score: float
    is_fraud: int
    release: str


@dataclass
class Counts:
    """Requests, as clients count them."""

    sent: int = 0
    answered: int = 0  # status 200 and a prediction in it
    failed: int = 0  # no answer, a status of 500 or above, or nothing of use in it
    labels: int = 0
    failures: list[tuple[float, str]] = field(default_factory=list)  # loop time, what came instead
    latencies_ms: list[float] = field(default_factory=list)


class Load(Paced):
    """Use as a context: traffic runs inside it."""

    def __init__(
        self,
        url: str,
        service: str,
        source: "Source",
        clock: Clock,
        *,
        rate: float,
        label_delay_s: float,
    ) -> None:
        """`rate`: requests a second."""
        super().__init__(url, rate=rate, label_delay_s=label_delay_s, most=MAX_IN_FLIGHT, timeout_s=TIMEOUT_S)
        self.counts = Counts()
        self.arms: dict[tuple[str, str], Arm] = {}  # (release, arm)
        self.scored: deque[Scored] = deque(maxlen=20_000)
        self._service, self._source, self._clock = service, source, clock
        self._waiting: dict[int, None] = {}  # numbers of the requests on their way, oldest first

    @property
    def oldest_waiting(self) -> int:
        """Number of the oldest request without an answer: all before it have theirs."""
        return next(iter(self._waiting), self.counts.sent + 1)

    def arm(self, release: str, part: str) -> Arm:
        """What clients got from a release as `champion` or as `candidate` so far."""
        return self.arms.get((release, part), Arm())

    def scored_by(self, release: str, *, since: int = 0) -> list[Scored]:
        """Answers of a release to the requests behind number `since`."""
        return [each for each in self.scored if each.release == release and each.number > since]

    def shift(self, regime: Regime) -> int:
        """The world changes; returns the number of the last request of the old one."""
        self._source.shift(regime)
        return self.counts.sent

    def failed_between(self, begin: float, end: float) -> int:
        """Requests that failed between two loop times."""
        return sum(1 for at, _ in self.counts.failures if begin <= at <= end)

    async def _ask(self) -> None:
        transaction, loop = self._source.next(self._clock), asyncio.get_running_loop()
        self.counts.sent += 1
        number, began = self.counts.sent, loop.time()
        self._waiting[number] = None
        told = await self._post(f"/v1/services/{self._service}/predict", transaction.row)
        del self._waiting[number]
        if isinstance(told, str):
            self.counts.failures.append((loop.time(), told))
            self.counts.failed += 1
            return
        answer = told["predictions"][0]
        ended = loop.time()
        self.counts.answered += 1
        self.counts.latencies_ms.append((ended - began) * 1e3)
        self._label_later(answer["id"], transaction.is_fraud)
        arm = self.arms.setdefault((answer["release"], answer["arm"]), Arm(first_at=ended))
        arm.answers += 1
        arm.stood_in += answer["fallback"] is not None
        arm.last_at = ended
        self.scored.append(Scored(number, answer["score"], transaction.is_fraud, answer["release"]))

    async def _post(self, path: str, body: Any) -> dict[str, Any] | str:
        """The answer, or why it is none."""
        assert self._session is not None
        try:
            async with self._session.post(path, json=body) as response:
                if response.status != 200:
                    return f"status {response.status}: {(await response.text())[:200]}"
                told: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"{type(error).__name__}: {error}"
        if "predictions" in told and "prediction" not in told["predictions"][0]:
            return f"no prediction: {told['predictions'][0]}"
        return told

    async def _tell(self, labels: Sequence[dict[str, Any]]) -> bool:
        told = await self._post("/v1/labels", {"labels": labels})
        if isinstance(told, str):
            return False
        self.counts.labels += told["accepted"]
        return True


class Source:
    """An endless supply of transactions, whose regime can be changed."""

    def __init__(self, dice: np.random.Generator) -> None:
        self.regime: Regime = USUAL
        self._dice = dice
        self._ready: Iterator[Transaction] = iter(())

    def next(self, clock: Clock) -> Transaction:
        with contextlib.suppress(StopIteration):
            return next(self._ready)
        self._ready = transactions(self._dice, self.regime, clock.now())
        return next(self._ready)

    def shift(self, regime: Regime) -> None:
        """From the next request on."""
        self.regime, self._ready = regime, iter(())
