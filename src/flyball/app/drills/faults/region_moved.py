"""A region's traffic moves here: other inputs, in another mix, that the release has hardly learned from."""

from typing import Any

from flyball.app.drills.clients import Bend, Row
from flyball.app.drills.fault import DrillFault, Stage, of_requests


class _Elsewhere(Bend):
    def __init__(self, stage: Stage) -> None:
        self._shift = stage.shift

    def request(self, row: Row, label: Any) -> tuple[Row, Any]:
        return self._shift(row, label)


FAULT = DrillFault(
    name="region_moved",
    what="traffic of another region moves here",
    share=0.5,
    told_by=("signal/psi", "signal/shift", "health/drift"),
    inject=of_requests(_Elsewhere),
)
