"""The data contract compiled for single rows on their way to a model.

Missing though required, or of another type: the model could not read the row, so it is rejected. Readable but outside
what was promised (enum, range, step, length, pattern): quarantine, an answer from the fallback chain. Keys the
contract does not know are ignored: clients may send more than a model needs, and `core.frames` drops the rest.

Each column becomes one closure that knows its limits; a sound value passes with one call and two comparisons. Columns
that no model can take (`DataContract.beyond`) are judged as well, by `rows.nested`.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from flyball.contracts.rows.nested import compiled
from flyball.contracts.rows.promises import REJECTS, Reason, expected, promises
from flyball.contracts.rows.scalars import scalar_test
from flyball.core.contract import Checked, DataContract

__all__ = ["REJECTS", "CompiledRows", "Reason", "expected"]


TOLD_ROWS, TOLD_FAULTS, TOLD_NAMES = 100, 20, 5  # an answer stays in proportion to its request


class CompiledRows:
    """A `core.contract.RowChecker`."""

    def __init__(self, contract: DataContract, *, label: str | None = None) -> None:
        """`label`: the column that clients do not send."""
        self._names = tuple(column.name for column in contract.columns if column.name != label)
        self._tests = tuple((column.name, scalar_test(column)) for column in contract.columns if column.name != label)
        order = promises(contract, without=label)
        self._promises = {promise.rule: promise for promise in order}
        self._known = frozenset((*self._names, *(field.name for field in contract.beyond), label))
        self._nested = tuple((field.name, compiled(field, order)) for field in contract.beyond if field.name != label)

    @property
    def columns(self) -> tuple[str, ...]:
        return self._names

    def check(self, rows: Sequence[dict[str, Any]]) -> list[Checked | None]:
        """One answer a row, in order: the first reason to reject, else the first to quarantine, else None.

        The message of a rejected row names every column for which it is rejected, in the first `TOLD_ROWS` such rows.
        """
        told = [self._check(row) for row in rows]
        if any(told):
            faulty = (place for place, said in enumerate(told) if said is not None and said.verdict == "reject")
            for place in islice(faulty, TOLD_ROWS):
                told[place] = self._whole(rows[place])
        return told

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

    def _whole(self, row: dict[str, Any]) -> Checked:
        """What `_check` says of a row that it rejects; the message says everything that keeps it from a model."""
        said = list(self._rejections(row))
        words = [each.message for each in said[:TOLD_FAULTS]]
        if len(said) > TOLD_FAULTS:
            words.append(f"and {len(said) - TOLD_FAULTS} more columns")
        if any(each.reason == "required" and each.column not in row for each in said):
            names = islice((name for name in row if name not in self._known), TOLD_NAMES)
            words += [f"{_short(name)} is no column of the contract" for name in names]
        return msgspec.structs.replace(said[0], message="; ".join(words))

    def _rejections(self, row: dict[str, Any]) -> Iterator[Checked]:
        """Every column for which the row is rejected, in the order of `_check`."""
        for name, test in self._tests:
            reason = test(row.get(name))
            if reason in REJECTS:
                yield self._said(f"{name}.{reason}", row)
        for name, broken in self._nested:
            promise = broken(row.get(name))
            if promise is not None and promise.rejects:
                yield self._said(promise.rule, row)

    def _said(self, rule: str, row: dict[str, Any]) -> Checked:
        promise = self._promises[rule]
        path = rule.removesuffix(f".{promise.reason}")
        return Checked(
            verdict="reject" if promise.rejects else "quarantine",
            column=promise.column,
            reason=promise.reason,
            message=f"{path}: expected {promise.expected}, found {_short(row.get(promise.column))}",
            rule=rule,
        )


def _short(value: Any) -> str:
    found = repr(value)
    return found if len(found) <= 60 else found[:57] + "..."
