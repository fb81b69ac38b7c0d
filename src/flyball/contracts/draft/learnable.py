"""Can a model learn from this table at all? What no promise of a single column says: classes, constants, categories."""

from dataclasses import replace

import polars as pl

from flyball.contracts.tables.check import Report, Violation
from flyball.core.service import Service

MOST_CATEGORIES = 1_000  # of a text column that is an input
MOST_CLASSES = 1_000


def with_label(report: Report, table: pl.DataFrame, service: Service) -> Report:
    """The report with what makes the label unlearnable among its violations.

    >>> from flyball.contracts.draft.learnable import label_fault
    >>> label_fault(pl.Series([1, 1, None]), "binary")
    ('two values', 'only 1')
    """
    label = table.get_column(service.data.label)
    told = label_fault(label.filter(report.accepted), service.experiment.task)
    if told is None or not report.accepted.any():
        return report
    expected, found = told
    broken = Violation(
        rule=f"{label.name}.classes", column=label.name, expected=expected, found=found, rows=table.height
    )
    return replace(report, violations=(*report.violations, broken))


def label_fault(label: pl.Series, task: str) -> tuple[str, str] | None:
    """What was expected of a label and what was found in the accepted rows; None where it can be learned."""
    values = (label.fill_nan(None) if label.dtype.is_float() else label).drop_nulls().unique()
    count = values.len()
    if count == 0:
        return "labels", "none in the accepted rows"
    if count == 1:
        expected = {"binary": "two values", "multiclass": "at least two classes"}.get(task, "values that differ")
        return expected, f"only {values[0]}"
    if task == "binary" and count > 2:
        return "two values", f"{count}, such as {', '.join(map(str, values.sort().head(3)))}"
    if task == "multiclass" and count > MOST_CLASSES:
        return f"at most {MOST_CLASSES} classes", f"{count}: is it a key, or task: regression?"
    return None


def remarks(table: pl.DataFrame, service: Service) -> tuple[str, ...]:
    """What a table allows and hardly anybody means: constant inputs, infinite numbers, categories without end."""
    apart = {service.data.label, service.data.timestamp, service.data.key}
    found: list[str] = []
    for values in table.get_columns():
        if values.name in apart or table.height < 2 or isinstance(values.dtype, (pl.List, pl.Struct, pl.Array)):
            continue
        count = values.n_unique()
        if count == 1:
            found.append(f"{values.name} is {_shown(values[0])} in every row: nothing can be learned from it")
        elif isinstance(values.dtype, (pl.String, pl.Categorical, pl.Enum)) and count > MOST_CATEGORIES:
            found.append(
                f"{values.name} has {count} different texts: a key, or text that features() should take apart?"
            )
        if values.dtype.is_float() and (infinite := int(values.is_infinite().sum())):
            found.append(f"{values.name} is infinite in {infinite} rows: a bound in the contract keeps them out")
    return tuple(found)


def _shown(value: object) -> str:
    return "empty" if value is None else f"{value}"[:40]
