"""The data contract compiled for single rows on their way to a model.

Missing though required, or of another type: the model could not read the row, so it is rejected. Readable but outside
what was promised (enum, range, step, length, pattern): quarantine, an answer from the fallback chain. Keys the
contract does not know are ignored: clients may send more than a model needs, and `core.frames` drops the rest.

Each column becomes one closure that knows its limits; a sound value passes with one call and two comparisons. Columns
that no model can take (`DataContract.beyond`) are judged as well, by `nested_rows`.
"""

from collections.abc import Sequence
from typing import Any

from flyball.contracts.nested_rows import compiled
from flyball.contracts.promises import REJECTS, Reason, expected, promises
from flyball.contracts.scalars import scalar_test
from flyball.core.contract import Checked, DataContract

__all__ = ["REJECTS", "CompiledRows", "Reason", "expected"]


class CompiledRows:
    """A `core.contract.RowChecker`."""

    def __init__(self, contract: DataContract, *, label: str | None = None) -> None:
        """`label`: the column that clients do not send."""
        self._names = tuple(column.name for column in contract.columns if column.name != label)
        self._tests = tuple((column.name, scalar_test(column)) for column in contract.columns if column.name != label)
        order = promises(contract, without=label)
        self._promises = {promise.rule: promise for promise in order}
        self._nested = tuple((field.name, compiled(field, order)) for field in contract.beyond if field.name != label)

    @property
    def columns(self) -> tuple[str, ...]:
        return self._names

    def check(self, rows: Sequence[dict[str, Any]]) -> list[Checked | None]:
        """One answer a row, in order: the first reason to reject, else the first to quarantine, else None."""
        return [self._check(row) for row in rows]

    def _check(self, row: dict[str, Any]) -> Checked | None:
        quarantined: str | None = None
        get = row.get
        for name, test in self._tests:
            reason = test(get(name))
            if reason is None:
                continue
            if reason in REJECTS:
                return self._said(f"{name}.{reason}", row)
            quarantined = quarantined or f"{name}.{reason}"
        for name, broken in self._nested:
            promise = broken(get(name))
            if promise is None:
                continue
            if promise.rejects:
                return self._said(promise.rule, row)
            quarantined = quarantined or promise.rule
        return self._said(quarantined, row) if quarantined else None

    def _said(self, rule: str, row: dict[str, Any]) -> Checked:
        promise = self._promises[rule]
        found = repr(row.get(promise.column))
        found = found if len(found) <= 60 else found[:57] + "..."
        path = rule.removesuffix(f".{promise.reason}")
        return Checked(
            verdict="reject" if promise.rejects else "quarantine",
            column=promise.column,
            reason=promise.reason,
            message=f"{path}: expected {promise.expected}, found {found}",
            rule=rule,
        )
