"""Is this a label of the service? The contract's word on the label column, asked before a label is kept.

A label of another kind, outside the declared classes or bounds, could never be joined or learned from; it would be
found out much later and by somebody else.
"""

from collections.abc import Sequence

from flyball.core.contract import RowChecker
from flyball.core.errors import Fault
from flyball.core.prediction import LabelRecord
from flyball.serving.protocols.bodies import fault

WHERE = "/v1/labels"


class LabelRule:
    """What the contract promises of one service's label."""

    def __init__(self, column: str, checker: RowChecker) -> None:
        """`checker`: of a contract that has this column alone."""
        self._column, self._checker = column, checker

    def faults(self, labels: Sequence[tuple[int, LabelRecord]]) -> list[Fault]:
        """Every label that is none of the service's, by its place in the request."""
        verdicts = self._checker.check([{self._column: label.label} for _, label in labels])
        return [
            fault(WHERE, f"labels[{place}].label", _expected(verdict.message), repr(label.label))
            for (place, label), verdict in zip(labels, verdicts, strict=True)
            if verdict is not None
        ]


def _expected(message: str) -> str:
    """The middle of `column: expected X, found Y`: the fault says the rest itself.

    >>> _expected("fraud: expected a whole number, found 'x'")
    'a whole number'
    """
    return message.partition(": expected ")[2].rpartition(", found ")[0]
