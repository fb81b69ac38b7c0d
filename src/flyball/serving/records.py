"""A batch that has come to its end, as records: what the log, the counters and the answers are made of."""

from collections.abc import Callable, Mapping
from typing import Any

from flyball.core.prediction import Answer, Failure, Outcome, PredictionRecord, ShadowRecord
from flyball.serving import outcome
from flyball.serving.admit import code
from flyball.serving.batch import Batch
from flyball.serving.fallback import CONSTANT

Redact = Callable[[Mapping[str, Any]], dict[str, Any]]
ANSWERED: frozenset[Outcome] = frozenset({"answered", "fallback", "quarantined"})  # the client got a prediction
ASKED: frozenset[Outcome] = frozenset({"answered", "fallback", "failed"})  # the assigned arm was asked


class Recorder:
    """How one service writes its rows down."""

    def __init__(
        self, redact: Redact, hide_unit: Callable[[str], str] | None, last_resort: Answer | None, limit_ms: float
    ) -> None:
        """`last_resort`: the constant at the end of the chain. `limit_ms`: above it an answer is slow."""
        self._redact, self._hide_unit = redact, hide_unit
        self._last_resort, self._limit_ms = last_resort, limit_ms

    def record(self, batch: Batch, place: int, latency_ms: float) -> PredictionRecord:
        """The record of one row."""
        arm, verdict, final = batch.arms[place], batch.verdicts[place], batch.final[place]
        own, fallback = batch.own[place], batch.fallback[place]
        asked = arm is not None and verdict is None and not batch.shed
        if final is None and arm is not None and not batch.shed and batch.pinned is None and self._last_resort:
            final, fallback = self._last_resort, CONSTANT
        what, reason = _outcome(batch, place, final, fallback)
        hide = self._hide_unit
        return PredictionRecord(
            id=batch.ids[place],
            at=batch.at[place],
            unit=hide(batch.units[place]) if hide else batch.units[place],
            arm=arm,
            release=batch.root(arm),
            epoch=batch.routing.epoch,
            outcome=what,
            fallback=fallback,
            answered_by=None if fallback == CONSTANT else batch.answered_by[place],
            reason=reason,
            error=asked and outcome.error_event(own),
            slow=asked and outcome.slow_event(own, batch.own_ms[place], self._limit_ms),
            prediction=final.prediction if final else None,
            score=final.score if final else None,
            scores=final.scores if final else None,
            latency_ms=latency_ms,
            service_ms=batch.own_ms[place],
            excluded=batch.pinned is not None,
            features=self._redact(batch.rows[place]) if what != "rejected" else {},
        )

    def shadow_record(
        self, batch: Batch, place: int, release: str, answer: Answer | Failure | None, own_ms: float
    ) -> ShadowRecord:
        """What the shadow said about one row; None: nothing."""
        given = answer if isinstance(answer, Answer) else None
        return ShadowRecord(
            id=batch.ids[place],
            at=batch.at[place],
            release=release,
            epoch=batch.routing.epoch,
            error=outcome.error_event(answer),
            slow=outcome.slow_event(answer, own_ms, self._limit_ms),
            prediction=given.prediction if given else None,
            score=given.score if given else None,
            scores=given.scores if given else None,
            service_ms=own_ms,
        )


def _outcome(batch: Batch, place: int, final: Answer | None, fallback: str | None) -> tuple[Outcome, str | None]:
    """What became of the row, and why it was not simply answered."""
    verdict, own = batch.verdicts[place], batch.own[place]
    if verdict is not None and verdict.verdict == "reject":
        return "rejected", code(verdict)
    if batch.arms[place] is None:
        return "rejected", "another row of the request"
    if batch.shed:
        return "shed", "overload"
    why = code(verdict) if verdict is not None else own.reason if isinstance(own, Failure) else None
    if final is None:
        return "failed", why or "no answer"
    if verdict is not None:
        return "quarantined", why
    return ("fallback", why or "no answer") if fallback is not None else ("answered", None)
