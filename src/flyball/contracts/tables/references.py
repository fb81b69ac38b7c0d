"""Foreign keys within one table: each value is found among those it refers to. Two tables cannot be judged from one."""

from collections.abc import Iterator

import polars as pl

from flyball.contracts.tables.report import Violation
from flyball.core.contract import DataContract

EXAMPLES = 3


def check(frame: pl.DataFrame, contract: DataContract) -> Iterator[Violation]:
    """The references that some row breaks; a row in which a part of the key is missing refers to nothing.

    >>> from flyball.core.contract import Column, Reference
    >>> columns = (Column(name="id", kind="integer"), Column(name="parent", kind="integer"))
    >>> up = Reference(id="parent.reference", columns=("parent",), to=("id",))
    >>> contract = DataContract(id="c", version="1", table="t", columns=columns, references=(up,))
    >>> [v.first_rows for v in check(pl.DataFrame({"id": [1, 2], "parent": [None, 3]}), contract)]
    [(1,)]
    """
    for reference in contract.references:
        expected = f"a value of {', '.join(reference.to)}"
        absent = [name for name in (*reference.columns, *reference.to) if name not in frame.columns]
        if absent:
            if set(absent) & set(reference.to):
                yield Violation(
                    rule=reference.id, column=reference.columns[0], expected=expected, found="no such column", rows=0
                )
            continue
        pairs = frame.select(reference.columns).with_row_index("row").drop_nulls()
        try:
            lost = pairs.join(frame.select(reference.to), left_on=reference.columns, right_on=reference.to, how="anti")
        except pl.exceptions.PolarsError as error:  # two columns of kinds that cannot be compared
            found = str(error).splitlines()[0]
            yield Violation(rule=reference.id, column=reference.columns[0], expected=expected, found=found, rows=0)
            continue
        if lost.height:
            rows = lost.get_column("row").sort().head(EXAMPLES).to_list()
            shown = ", ".join(str(value) for value in frame.get_column(reference.columns[0]).gather(rows))
            yield Violation(
                rule=reference.id,
                column=reference.columns[0],
                expected=expected,
                found=shown,
                rows=lost.height,
                first_rows=tuple(rows),
            )
