"""A supplier changes a type: a number comes as text with a decimal comma."""

from typing import Any

from flyball.app.drills.clients import Bend, Row
from flyball.app.drills.columns import a_number
from flyball.app.drills.fault import DrillFault, Stage, of_requests


class _Texts(Bend):
    def __init__(self, column: str) -> None:
        self._column = column

    def request(self, row: Row, label: Any) -> tuple[Row, Any]:
        return row | {self._column: f"{row[self._column]}".replace(".", ",") + " EUR"}, label


def _bend(stage: Stage) -> Bend:
    return _Texts(a_number(stage.contract, stage.label))


FAULT = DrillFault(
    name="schema_break",
    what="a number comes as text with a decimal comma",
    share=0.05,
    told_by=("incident/data_quality", "signal/quality", "health/data_quality"),
    inject=of_requests(_bend),
)
