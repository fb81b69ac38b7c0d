"""Somebody sends wrong labels: of the drill's own predictions each label is turned round."""

from typing import Any

from flyball.app.drills.clients import Bend, Row
from flyball.app.drills.fault import DrillFault, Stage, of_requests


class _TurnedRound(Bend):
    """Of two classes the other one."""

    def request(self, row: Row, label: Any) -> tuple[Row, Any]:
        return row, 1 - label if label in (0, 1) else label


def _bend(_: Stage) -> Bend:
    return _TurnedRound()


FAULT = DrillFault(
    name="poisoned_labels",
    what="labels of the drill's own predictions are turned round",
    share=0.30,
    told_by=("signal/risk", "signal/quality/label", "incident/data_quality", "health/quality", "health/labels"),
    inject=of_requests(_bend),
)
