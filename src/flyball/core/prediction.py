"""One row on its way through the gateway, and the label that arrives later."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from flyball.core.record import Record

ArmName = Literal["champion", "candidate"]
Outcome = Literal["answered", "fallback", "quarantined", "rejected", "failed", "shed"]


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an arm says about one row."""

    prediction: str | float | int | bool
    score: float | None = None  # binary: P(positive)
    scores: dict[str, float] | None = None  # multiclass


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An arm gave no valid answer of its own."""

    reason: Literal["exception", "deadline", "invalid", "dead", "overload"]
    message: str = ""


class ArmReply(msgspec.Struct, frozen=True, kw_only=True):
    """One arm's answers to a batch, in order, with its own service time (queue excluded)."""

    answers: tuple[Answer | Failure, ...]
    service_ms: float


class PredictionRecord(msgspec.Struct, kw_only=True):
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
    answered_by: str | None = None  # release whose answer the client got; None: no release's
    excluded: bool = False  # pinned version or tester: left out of every analysis
    features: dict[str, Any] = {}


class ShadowRecord(msgspec.Struct, kw_only=True):
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


class LabelRecord(Record):
    id: str  # the prediction's
    label: str | float | int | bool
    at: float  # when it became known, seconds since the epoch


class Predictor(Protocol):
    """Port: a verified, loaded release. The features code that was packaged with it runs inside."""

    @property
    def release(self) -> str: ...

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        """Answers in order. A row that fails alone must not fail its neighbours."""
        ...
