"""Shadow pairs and their labels: who was right on the rows that both arms answered?"""

from dataclasses import dataclass, field
from typing import Any

from flyball.core.routing import PairEvidence
from flyball.core.service import Task
from flyball.monitor.answers import plain_text


@dataclass(kw_only=True)
class WaitingPairs:
    """Pairs that wait for a label, and what the labelled ones say of each candidate. Each pair counts once.

    No more than `most` wait at a time, for many labels never come: the oldest are forgotten, and counted.
    """

    task: Task
    most: int
    forgotten: int = 0
    evidence: dict[str, PairEvidence] = field(default_factory=dict)  # by candidate
    _open: dict[str, tuple[str, Any]] = field(default_factory=dict)  # id -> candidate, its answer

    def add(self, id_: str, candidate: str, answer: Any) -> None:
        """A shadow's valid answer."""
        self._open[id_] = (candidate, answer)
        if len(self._open) > self.most:
            self.drop(next(iter(self._open)))

    def waits(self, id_: str) -> bool:
        return id_ in self._open

    def drop(self, id_: str) -> None:
        """The label of a row will not come any more."""
        self.forgotten += self._open.pop(id_, None) is not None

    def labelled(self, id_: str, champion_answer: Any, label: Any) -> None:
        """The label of a row has come; rows without a shadow are none of our business."""
        pair = self._open.pop(id_, None)
        if pair is None or champion_answer is None:
            return
        candidate, answer = pair
        ours, theirs = _right(self.task, answer, champion_answer, label)
        before = self.evidence.get(candidate, PairEvidence())
        self.evidence[candidate] = PairEvidence(
            pairs=before.pairs + 1,
            candidate_only=before.candidate_only + (ours and not theirs),
            champion_only=before.champion_only + (theirs and not ours),
        )


def _right(task: Task, candidate: Any, champion: Any, label: Any) -> tuple[bool, bool]:
    """Of two numbers the closer one is right, and at a tie neither: a sign test, whatever the scale of the errors."""
    if task == "regression":
        ours, theirs = abs(float(candidate) - float(label)), abs(float(champion) - float(label))
        return ours < theirs, theirs < ours
    truth = plain_text(label)
    return plain_text(candidate) == truth, plain_text(champion) == truth
