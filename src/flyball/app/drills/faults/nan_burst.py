"""A join upstream finds nothing: a column that is promised comes empty."""

from typing import Any

from flyball.app.drills.clients import Bend, Row
from flyball.app.drills.columns import a_number
from flyball.app.drills.fault import DrillFault, Stage, of_requests


class _Empty(Bend):
    def __init__(self, column: str) -> None:
        self._column = column

    def request(self, row: Row, label: Any) -> tuple[Row, Any]:
        return row | {self._column: None}, label


def _bend(stage: Stage) -> Bend:
    return _Empty(a_number(stage.contract, stage.label))


FAULT = DrillFault(
    name="nan_burst",
    what="a number that is promised comes empty",
    share=0.10,
    told_by=("incident/data_quality", "signal/quality", "health/data_quality"),
    inject=of_requests(_bend),
)
