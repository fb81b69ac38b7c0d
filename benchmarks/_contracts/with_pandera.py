"""The rules as a pandera schema on an eager polars DataFrame: on a LazyFrame it leaves the checks of values out."""

import sys
from datetime import datetime
from importlib import import_module
from typing import Any

from benchmarks._contracts import rules as r
from benchmarks._contracts.worker import serve


def main() -> None:
    pl, pa = import_module("polars"), import_module("pandera.polars")
    errors: Any = import_module("pandera.errors").SchemaErrors
    frame = pl.read_parquet(sys.argv[1])
    columns: dict[str, dict[str, Any]] = {name: {"checks": [], "nullable": True} for name in r.COLUMNS}
    for rule, name, kind, arguments in r.rules():
        column = columns[name]
        match kind:
            case "required":
                column["nullable"] = False
            case "unique":
                column["unique"] = True
            case "range":
                column["checks"].append(pa.Check.in_range(*arguments, error=rule))
            case "between_times":
                limits = [datetime.fromisoformat(str(limit)) for limit in arguments]
                column["checks"].append(pa.Check.in_range(*limits, error=rule))
            case "length":
                column["checks"].append(pa.Check.str_length(*arguments, error=rule))
            case "pattern":
                column["checks"].append(pa.Check.str_matches(arguments[0], error=rule))
            case "enum":
                column["checks"].append(pa.Check.isin(list(arguments), error=rule))
            case "none_of":
                column["checks"].append(pa.Check.notin(list(arguments), error=rule))
    dtypes = frame.schema
    schema = pa.DataFrameSchema({name: pa.Column(dtypes[name], **made) for name, made in columns.items()})

    def validate() -> Any:
        try:
            schema.validate(frame, lazy=True)
        except errors as found:
            return found.failure_cases
        return None

    def count(cases: Any) -> dict[str, int]:
        found: dict[tuple[str, str], int] = {}
        if cases is not None:
            for column, check, rows in cases.group_by("column", "check").len().rows():
                found[column, check] = rows
        names = {"required": "not_nullable", "unique": "field_uniqueness"}
        told = {rule: found.get((name, names.get(kind, rule)), 0) for rule, name, kind, _ in r.rules()}
        for rule, name, kind, _ in r.rules():
            if kind == "none_of":  # to ODCS a null is a missing value as well
                told[rule] += told[f"{name}.required"]
        return told

    version = import_module("pandera").__version__
    serve(f"pandera {version}, polars {pl.__version__}", validate, count)


if __name__ == "__main__":
    main()
