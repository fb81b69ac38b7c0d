"""The candidate of a drill: its answers to the drill's own rows are errors, as of a model that raises.

Stands where `flyball up` was started with `--allow-drills`, and nowhere else. Real rows are asked as ever, also those
that share a request with a struck one: the copy answers them as the champion would.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flyball.core.declared.drills import CANDIDATE
from flyball.core.drill_lease import DrillLease
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.serve.answering.arm_process import ArmProcess, Deliver

RAISED = Failure(reason="exception", message="a drill strikes this row")


class StruckArm(ArmProcess):
    """A release in a process of its own, under the word of a drill."""

    def __init__(self, release: str, *args: Any, word: Callable[[], DrillLease | None], **named: Any) -> None:
        """`word`: of the drill of this service that runs now."""
        super().__init__(release, *args, **named)
        self._word = word

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        word = self._word()
        if word is None or word.fault != CANDIDATE or word.release != self.release:
            super().ask(rows, deliver, until)
            return
        struck = [word.strikes(row) for row in rows]
        others = [row for row, mine in zip(rows, struck, strict=True) if not mine]
        if not others:
            deliver(ArmReply(answers=(RAISED,) * len(rows), service_ms=0.0))
        else:
            super().ask(others, lambda reply: deliver(merged(reply, struck)), until)


def merged(reply: ArmReply | Failure, struck: Sequence[bool]) -> ArmReply | Failure:
    """The answers of the others in their places, and errors in those that are struck.

    >>> found = merged(ArmReply(answers=(Answer(prediction=1),), service_ms=2.0), [True, False])
    >>> [isinstance(answer, Failure) for answer in found.answers], found.service_ms
    ([True, False], 2.0)
    """
    if isinstance(reply, Failure) or not any(struck):
        return reply
    answers: Iterator[Answer | Failure] = iter(reply.answers)
    return ArmReply(answers=tuple(RAISED if mine else next(answers) for mine in struck), service_ms=reply.service_ms)
