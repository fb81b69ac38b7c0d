"""A supplier changes a unit: metres where kilometres were promised, each value a thousand times as large."""

from typing import Any

from flyball.app.drills.clients import Bend, Row
from flyball.app.drills.columns import a_measure
from flyball.app.drills.fault import DrillFault, Stage, of_requests

FACTOR = 1000.0


class _OtherUnit(Bend):
    def __init__(self, column: str) -> None:
        self._column = column

    def request(self, row: Row, label: Any) -> tuple[Row, Any]:
        value = row[self._column]
        return (row if value is None else row | {self._column: value * FACTOR}), label


def _bend(stage: Stage) -> Bend:
    return _OtherUnit(a_measure(stage.contract, stage.label))


FAULT = DrillFault(
    name="unit_change",
    what="a measure comes a thousand times as large",
    share=0.20,
    told_by=("incident/data_quality", "signal/quality", "signal/psi", "health/data_quality", "health/drift"),
    inject=of_requests(_bend),
)
