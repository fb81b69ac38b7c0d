"""One row on its way through the gateway, and the label that arrives later.

Answers and records hold no reference to anything that could hold them (`gc=False`): thousands wait for the log at any
time, and a collector that walks through them again and again would pause the gateway to find nothing.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from flyball.core.record import Record

ArmName = str  # `champion`, `candidate`, or the name of an arm of an A/B test (`core.arms.Arm`)
Outcome = Literal["answered", "fallback", "quarantined", "rejected", "failed", "shed"]
NO_ANSWER: tuple[Outcome, ...] = ("failed", "shed")  # of rows whose client got none


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an arm says about one row."""

    prediction: str | float | int | bool
    score: float | None = None  # binary: P(positive)
    scores: dict[str, float] | None = None  # multiclass
    fired: tuple[str, ...] = ()  # filters of the release's own code that fired, in their order
    withheld: bool = False  # one of them kept the row from the model: the prediction is none


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An arm gave no valid answer of its own."""

    reason: Literal["exception", "deadline", "invalid", "dead", "overload", "open"]
    message: str = ""


class ArmReply(msgspec.Struct, frozen=True, kw_only=True):
    """One arm's answers to a batch, in order, with its own service time (queue excluded)."""

    answers: tuple[Answer | Failure, ...]
    service_ms: float


class PredictionRecord(msgspec.Struct, kw_only=True, gc=False):
    """One row received, whatever became of it. The columns of the prediction log."""

    id: str
    at: float  # seconds since the epoch, by the clock of the world it lives in
    unit: str
    arm: ArmName | None  # assigned arm; None for a rejected row
    release: str  # release of the assigned arm
    epoch: int  # routing epoch in force
    outcome: Outcome
    fallback: str | None = None
    reason: str | None = None
    error: bool = False  # error event: the assigned arm gave no valid answer of its own by the deadline
    slow: bool = False  # slow event: its own service time above the objective
    prediction: str | float | int | bool | None = None  # what the client got
    score: float | None = None
    scores: dict[str, float] | None = None
    latency_ms: float = 0.0  # whole stay in the gateway
    service_ms: float = 0.0  # the arm's own share
    queue_ms: float = 0.0  # how long the row waited for the assigned arm, transport included
    answered_by: str | None = None  # release whose answer the client got; None: no release's
    excluded: bool = False  # pinned version or tester: left out of every analysis
    features: dict[str, Any] = {}


class ShadowRecord(msgspec.Struct, kw_only=True, gc=False):
    """What the shadow said about a row that the champion answered."""

    id: str
    at: float
    release: str
    epoch: int
    error: bool
    slow: bool
    prediction: str | float | int | bool | None = None
    score: float | None = None
    scores: dict[str, float] | None = None
    service_ms: float = 0.0
    agrees: bool | None = None  # with the champion, by `serving.shadow.compare`; None: one of them gave no answer


class LabelRecord(Record):
    id: str  # the prediction's
    label: str | float | int | bool
    at: float  # when it became known, seconds since the epoch


class Predictor(Protocol):
    """Port: a verified, loaded release. The features code that was packaged with it runs inside."""

    @property
    def release(self) -> str: ...

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        """Answers in order. A row that fails alone must not fail its neighbours, unless rows may be asked once only."""
        ...


class Asking(Protocol):
    """Port: a loaded release whose model is elsewhere, so that many questions may be under way at once."""

    @property
    def release(self) -> str: ...

    @property
    def once(self) -> bool:
        """Whether a row may be asked once only, so that the rows of one question fail together."""
        ...

    @property
    def connections(self) -> int:
        """Questions at once; more would wait there, where nobody sees them."""
        ...

    async def answer(self, rows: Sequence[dict[str, Any]], seconds: float) -> ArmReply | Failure:
        """Answers in order, within so many seconds. A row that is refused there does not fail its neighbours, unless
        rows may be asked once only."""
        ...

    async def away(self) -> str:
        """Why it cannot be asked now; empty: it can."""
        ...

    def verify(self) -> None:
        """Waits. Raises: Untrusted: it answers its probe rows otherwise than when it was judged."""
        ...

    async def close(self) -> None: ...
