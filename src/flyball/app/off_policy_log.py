"""The log that a candidate's answers are valued on: whether it has the columns and values that the declaration says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault
from flyball.core.service import OffPolicyTest, Service

if TYPE_CHECKING:
    import polars as pl


def faults_of_log(
    folder: Path, service: Service, contract: DataContract | None, *, read: Callable[[Path], "pl.DataFrame"]
) -> tuple[Fault, ...]:
    """Everything that is wrong with it, at once; none where no log is declared.

    Args:
        contract: names the model's inputs, each of which the log has to hold; None: it could not be read.
        read: a table; raises BadInput.
    """
    test = service.experiment.tests.off_policy
    if test is None:
        return ()
    try:
        table = read(folder / test.log)
    except BadInput as error:
        return error.faults
    return (*_columns(test, service, contract, table), *_values(test, table))


def _columns(
    test: OffPolicyTest, service: Service, contract: DataContract | None, table: "pl.DataFrame"
) -> Iterator[Fault]:
    held = ", ".join(table.columns)
    for key in ("action", "propensity", "reward", "unit"):
        name = getattr(test, key)
        if name is not None and name not in table.columns:
            path = f"experiment.tests.off_policy.{key}"
            yield Fault(where="service.yaml", path=path, expected=f"a column of {test.log}: {held}", found=name)
    beside = (service.data.label, service.data.timestamp, service.data.key)
    for column in contract.columns if contract is not None else ():
        if column.name not in table.columns and column.name not in beside and not column.personal:
            yield Fault(where=test.log, path=column.name, expected="an input of the model, a column", found=held)


def _values(test: OffPolicyTest, table: "pl.DataFrame") -> Iterator[Fault]:
    import polars as pl

    number = {"propensity": "a probability above 0, at most 1", "reward": "a finite number"}
    for key in ("action", "propensity", "reward", "unit"):
        name = getattr(test, key)
        if name is None or name not in table.columns:
            continue
        wrong = pl.col(name).is_null()
        if key in number:
            column = pl.col(name).cast(pl.Float64, strict=False)
            kept = (column > 0) & (column <= 1) if key == "propensity" else column.is_finite()
            wrong = ~kept.fill_null(value=False)
        rows = table.select(wrong.arg_true()).to_series()
        if len(rows):
            found = f"{table[name][rows[0]]} in row {rows[0]}, and {len(rows)} such rows in all"
            yield Fault(where=test.log, path=name, expected=number.get(key, "a value in every row"), found=found)
    if table.height == 0:
        yield Fault(where=test.log, path="(rows)", expected="at least one row", found="none")
