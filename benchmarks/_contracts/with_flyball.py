"""The rules as an ODCS contract, checked by Flyball."""

import sys
from importlib.metadata import version
from io import StringIO
from typing import Any

import polars as pl
from benchmarks._contracts import rules as r
from benchmarks._contracts.worker import serve
from ruamel.yaml import YAML

from flyball.contracts.odcs.document import parse_contract
from flyball.contracts.tables.check import Report, check


def main() -> None:
    frame = pl.read_parquet(sys.argv[1])
    contract = parse_contract(text()).contract
    serve(f"flyball {version('flyball')}, polars {pl.__version__}", lambda: check(frame, contract), counts)


def counts(report: Report) -> dict[str, int]:
    found = {violation.rule: violation.rows for violation in report.violations}
    return {rule: found.get(rule, 0) for rule, *_ in r.rules()}


def text() -> str:
    """The contract, as a user would write it."""
    kinds = {name: kind for names, kind in _KINDS for name in names}
    columns: dict[str, dict[str, Any]] = {
        n: {"name": n, "logicalType": kinds[n], "logicalTypeOptions": {}} for n in kinds
    }
    for rule, name, kind, arguments in r.rules():
        column, options = columns[name], columns[name]["logicalTypeOptions"]
        match kind:
            case "required" | "unique":
                column[kind] = True
            case "range" | "between_times":
                options["minimum"], options["maximum"] = arguments
            case "length":
                options["minLength"], options["maxLength"] = arguments
            case "pattern":
                (options["pattern"],) = arguments
            case "enum":
                column["enum"] = [{"value": value} for value in arguments]
            case "none_of":
                metric = {"metric": "missingValues", "arguments": {"missingValues": list(arguments)}, "mustBe": 0}
                column["quality"] = [{"id": rule, **metric}]
    out = StringIO()
    head = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "bench", "version": "1.0.0", "status": "active"}
    YAML(typ="safe", pure=True).dump({**head, "schema": [{"name": "t", "properties": list(columns.values())}]}, out)
    return out.getvalue()


_KINDS = (
    (r.NUMBERS, "number"),
    (r.WHOLES, "integer"),
    (r.CODES, "string"),
    (r.CLASSES, "string"),
    (r.TIMES, "timestamp"),
    (r.FLAGS, "boolean"),
)

if __name__ == "__main__":
    main()
