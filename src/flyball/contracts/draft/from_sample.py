"""A first contract, declaration and model for a table: what the sample shows, said as promises one can start from.

A draft promises only what is unlikely to break by chance: kinds, `required` where nothing is missing, the values of
categories with few of them, and a lower bound of 0 where nothing is below it. No upper bounds and no keys are guessed:
a sample's largest value is not a limit, and a column that happens to be unique is not an identity.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from flyball.contracts.draft.meaning import speaks_of_a_person
from flyball.contracts.draft.model import model_text
from flyball.contracts.draft.policy import AUTONOMY, DRILLS, RETRAIN, REVIEW, ROLLOUT, SERVING, TOLD
from flyball.contracts.draft.text import LEAST_ROWS_A_VALUE, enumeration, kind_of, only, plain_name, yaml_text
from flyball.core.errors import BadInput, Fault
from flyball.core.service import Task
from flyball.stats.binning.running_number import runs_on

LEAST_ROWS = 50
MOST_CLASSES = 50


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Three files."""

    service: str
    contract: str
    model: str
    task: Task
    left_out: tuple[str, ...] = ()  # columns that are not in the contract: their values speak of one person each


def draft(
    table: pl.DataFrame,
    *,
    name: str,
    source: str,
    label: str,
    owner: str,
    timestamp: str | None = None,
    key: str | None = None,
) -> Draft:
    """Files that pass `flyball check` on this table and train at once.

    Args:
        source: the table's path as service.yaml shall name it.
        owner: who answers for the service; gets the roles of approver and operator.

    Raises: BadInput with all faults: a column that is not there, a label that cannot be learned.
    """
    faults = tuple(_unfit(table, source, {"label": label, "timestamp": timestamp, "key": key}))
    if faults:
        raise BadInput(f"No service can be drafted from {source}.", faults)
    task = task_of(table.get_column(label))
    named = (label, timestamp, key)
    left_out = tuple(name for name in table.columns if name not in named and speaks_of_a_person(table.get_column(name)))
    table = table.drop(left_out)
    columns = [_property(table.get_column(column), label=label) for column in table.columns if _has_kind(table, column)]
    return Draft(
        service=_service_text(table, name, source, label, owner, timestamp, key, task),
        contract=_contract_text(name, columns),
        model=model_text(task, _apart(table, label, timestamp, key)),
        task=task,
        left_out=left_out,
    )


def _apart(table: pl.DataFrame, label: str, timestamp: str | None, key: str | None) -> list[str]:
    """Inputs that the drafted model does not see: key, time, and what runs on with the rows, if anything is left."""
    named = [column for column in (key, timestamp) if column is not None]
    ordered = table.sort(timestamp, maintain_order=True) if timestamp is not None else table
    others = [name for name in table.columns if name not in (label, *named) and _has_kind(table, name)]
    running = [name for name in others if _runs_on(ordered.get_column(name))]
    return named + (running if len(running) < len(others) else [])


def _runs_on(column: pl.Series) -> bool:
    if column.null_count() or not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        return False
    return runs_on(column.to_physical().cast(pl.Float64).to_numpy())


def task_of(label: pl.Series) -> Task:
    """The task that a label asks for: two values binary, text or few whole numbers multiclass, else regression.

    >>> task_of(pl.Series([0, 1, 1])), task_of(pl.Series(["a", "b", "c"])), task_of(pl.Series([1.5, 2.5, 9.0]))
    ('binary', 'multiclass', 'regression')
    """
    distinct = label.drop_nulls().n_unique()
    if distinct == 2:
        return "binary"
    if label.dtype in (pl.String, pl.Categorical, pl.Enum):
        return "multiclass"
    few = distinct <= 20 and label.len() >= LEAST_ROWS_A_VALUE * distinct
    return "multiclass" if label.dtype.is_integer() and few else "regression"


def _unfit(table: pl.DataFrame, source: str, named: dict[str, str | None]) -> list[Fault]:
    found: list[Fault] = []
    for role, column in named.items():
        if column is not None and column not in table.columns:
            columns = ", ".join(table.columns)
            found.append(Fault(where=source, path=f"--{role}", expected=f"one of {columns}", found=column))
    label = named["label"]
    if found or label is None:
        return found
    values = table.get_column(label)
    if table.height < LEAST_ROWS:
        found.append(Fault(where=source, path="(rows)", expected=f"at least {LEAST_ROWS}", found=str(table.height)))
    if values.null_count():
        found.append(
            Fault(where=source, path=label, expected="a label in every row", found=f"{values.null_count()} missing")
        )
    distinct = values.drop_nulls().n_unique()
    if distinct < 2:
        found.append(Fault(where=source, path=label, expected="at least two values", found=str(distinct)))
    if values.dtype in (pl.String, pl.Categorical, pl.Enum) and distinct > MOST_CLASSES:
        found.append(Fault(where=source, path=label, expected=f"at most {MOST_CLASSES} classes", found=str(distinct)))
    if not _has_kind(table, label) or isinstance(values.dtype, (pl.Date, pl.Datetime)):
        found.append(Fault(where=source, path=label, expected="text, numbers or true/false", found=str(values.dtype)))
    apart = {column for column in named.values() if column is not None}
    others = [column for column in table.columns if column not in apart and _has_kind(table, column)]
    if all(speaks_of_a_person(table.get_column(column)) for column in others):
        found.append(Fault(where=source, path="(columns)", expected="a column to learn from", found="none"))
    return found


def _has_kind(table: pl.DataFrame, column: str) -> bool:
    return kind_of(table.schema[column]) is not None


def _property(values: pl.Series, *, label: str) -> dict[str, Any]:
    kind = kind_of(values.dtype)
    sound = values.fill_nan(None) if values.dtype.is_float() else values
    item: dict[str, Any] = {"name": plain_name(values.name), "logicalType": kind}
    if values.name == label:
        item["description"] = "The label: clients do not send it."
    if sound.null_count() == 0:
        item["required"] = True
    distinct = sound.drop_nulls().n_unique()
    if kind == "string" and (known := enumeration(sound)) is not None:
        item["quality"] = [only(known)]
    if kind in ("integer", "number") and distinct:
        lowest = float(sound.min())  # type: ignore[arg-type]
        if lowest >= 0:
            item["logicalTypeOptions"] = {"minimum": 0}
    return item


def _contract_text(name: str, columns: list[dict[str, Any]]) -> str:
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": name,
        "name": f"Inputs of {name}",
        "version": "1.0.0",
        "status": "draft",
        "description": {"purpose": "Drafted from a sample. Read each promise, and tighten what you know."},
        "schema": [{"name": name, "logicalType": "object", "properties": columns}],
    }
    return yaml_text(document)


def _service_text(
    table: pl.DataFrame,
    name: str,
    source: str,
    label: str,
    owner: str,
    timestamp: str | None,
    key: str | None,
    task: Task,
) -> str:
    metric, gates = _gates(task)
    data: dict[str, Any] = {"contract": "contract.yaml", "source": source, "label": plain_name(label)}
    data |= {
        role: plain_name(column) for role, column in (("timestamp", timestamp), ("key", key)) if column is not None
    }
    document: dict[str, Any] = {
        "apiVersion": "flyball/v1",
        "kind": "Service",
        "metadata": {"name": name, "owner": owner, "people": {owner: ["approver", "operator"]}},
        "data": data,
        "experiment": {"task": task, "metric": metric, "module": "model.py", "seed": "7"},
        "gates": [
            *gates,
            {"metric": metric, "versus": "champion", "not_worse_by": "5%"},
            {"metric": "latency_p99_ms", "max": 100},
        ],
    }
    monitor = {"monitor": {"live_metric": {"name": metric, "max_loss": "10%"}}}
    replay = {"replay": {"train_rows": max(1, table.height // 5)}}
    loop = (SERVING, ROLLOUT, yaml_text(monitor), RETRAIN, AUTONOMY, DRILLS, REVIEW)
    return "".join((yaml_text(document), *loop, yaml_text(replay), TOLD))


METRIC: dict[Task, str] = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "mae"}


def _gates(task: Task) -> tuple[str, list[dict[str, Any]]]:
    """The metric, and that it is surely better than the best answer without inputs: by its lower bound, since half of
    all models that learned nothing have a value above chance."""
    metric = METRIC[task]
    return metric, [{"expression": f'metrics["over_dummy.{metric}"].low > 0.0', "name": "it learned something"}]
