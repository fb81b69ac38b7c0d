"""A batch that has come to its end, as records: what the log, the counters and the answers are made of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flyball.core.declared.serving import Serving
from flyball.core.prediction import Answer, Failure, Outcome, PredictionRecord, ShadowRecord
from flyball.serving import outcome
from flyball.serving.admit import code
from flyball.serving.batch import Batch
from flyball.serving.compare import agree
from flyball.serving.resilience.last_links import CACHED, OF_NO_RELEASE, Link, last_answer

Redact = Callable[[Mapping[str, Any]], dict[str, Any]]
ANSWERED: frozenset[Outcome] = frozenset({"answered", "fallback", "quarantined"})  # the client got a prediction
ASKED: frozenset[Outcome] = frozenset({"answered", "fallback", "failed"})  # the assigned arm was asked


class Recorder:
    """How one service writes its rows down."""

    def __init__(
        self, redact: Redact, hide_unit: Callable[[str], str] | None, links: Sequence[Link], serving: Serving
    ) -> None:
        """`links`: of the fallback chain, those that ask nobody. `serving`: when one is slow, and when two agree."""
        self._redact, self._hide_unit = redact, hide_unit
        self._links, self._limit_ms, self._compare = links, serving.objectives.latency_p99_ms, serving.shadow.compare

    def record(self, batch: Batch, place: int, latency_ms: float) -> PredictionRecord:
        """The record of one row."""
        arm, verdict, final = batch.arms[place], batch.verdicts[place], batch.final[place]
        own, fallback = batch.own[place], batch.fallback[place]
        shed = batch.is_shed(place)
        asked = arm is not None and verdict is None and not shed
        chained = batch.pinned is None and place not in batch.withheld and (not shed or batch.caught is not None)
        if final is None and arm is not None and chained:
            final, fallback = last_answer(self._links, batch, place) or (None, None)
        what, reason = _outcome(batch, place, final, fallback)
        hide = self._hide_unit
        return PredictionRecord(
            id=batch.ids[place],
            at=batch.at[place],
            unit=hide(batch.units[place]) if hide else batch.units[place],
            arm=None if what == "rejected" else arm,
            release=batch.root(arm),
            epoch=batch.routing.epoch,
            outcome=what,
            fallback=fallback,
            answered_by=_release(batch, place, fallback),
            reason=reason,
            error=asked and outcome.error_event(own) and batch.judges(place),
            slow=asked and outcome.slow_event(own, batch.own_ms[place], self._limit_ms),
            prediction=final.prediction if final else None,
            score=final.score if final else None,
            scores=final.scores if final else None,
            latency_ms=latency_ms,
            service_ms=batch.own_ms[place],
            queue_ms=batch.queue_ms[place],
            excluded=batch.pinned is not None or batch.excluded,
            features=self._redact(batch.rows[place]) if what != "rejected" else {},
        )

    def shadow_record(
        self, batch: Batch, place: int, release: str, answer: Answer | Failure | None, own_ms: float
    ) -> ShadowRecord:
        """What the shadow said about one row, and whether the champion said the same; None: nothing."""
        own = batch.own[place]
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
            agrees=agree(self._compare, own, given) if isinstance(own, Answer) and given is not None else None,
        )


def _outcome(batch: Batch, place: int, final: Answer | None, fallback: str | None) -> tuple[Outcome, str | None]:
    """What became of the row, and why it was not simply answered."""
    verdict, own = batch.verdicts[place], batch.own[place]
    refused = batch.arms[place] is None
    if verdict is not None and final is None and (refused or not batch.shed):
        return "rejected", code(verdict)  # perhaps one to quarantine that nobody of the chain could answer
    if refused:
        return "rejected", "another row of the request"
    if final is None and batch.is_shed(place):
        return "shed", batch.refusal
    mark = batch.marks.get(place)
    if final is None and place in batch.withheld:
        return "failed", mark
    if final is None:
        return "failed", own.reason if isinstance(own, Failure) else _unasked(batch, place)
    if verdict is not None:
        return "quarantined", code(verdict)
    why = own.reason if isinstance(own, Failure) else None
    if fallback is not None:
        return "fallback", why or mark or _unasked(batch, place)
    return "answered", mark or "cached" if mark or place in batch.cached else None


def _unasked(batch: Batch, place: int) -> str:
    """Why the arm has said nothing at all."""
    if batch.is_shed(place):
        return "shed"
    return "relief" if batch.spared(place) else "no answer"


def _release(batch: Batch, place: int, fallback: str | None) -> str | None:
    """The release whose answer the client got."""
    if fallback in OF_NO_RELEASE:
        return None
    return batch.root(batch.arms[place]) if fallback == CACHED else batch.answered_by[place]
