"""One version of a contract as a whole: what is executed of each table, and the text that the standard keeps beside it.

`parse_contract` reads the table that a service learns from. Whoever judges or compares a file needs all its tables,
and the keys that no row can break: units, service levels, descriptions.
"""

from typing import Any

from flyball.contracts.odcs.document import parse_contract
from flyball.contracts.yaml_text import read, refusal
from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record


class Edition(Record):
    """A contract file that has no fault."""

    file: str
    id: str
    version: str
    data: dict[str, Any]  # the document as it is written
    tables: tuple[DataContract, ...]  # in the order of the file
    not_executed: tuple[str, ...] = ()  # promises that nobody checks, by their place


def read_edition(text: str, *, file: str = "contract.yaml") -> Edition:
    """Read an ODCS text with all its tables.

    Raises: BadInput with every fault of every table, each once.

    >>> text = "{apiVersion: v3.1.0, kind: DataContract, id: c, version: 1.0.0, status: draft,"
    >>> text += " schema: [{name: t, properties: [{name: a, logicalType: number}]}]}"
    >>> [(table.table, len(table.columns)) for table in read_edition(text).tables]
    [('t', 1)]
    """
    document = read(text, file=file)
    names = _names(document.data)
    faults: dict[str, Fault] = {}
    tables: list[DataContract] = []
    skipped: dict[str, None] = {}
    for name in names or (None,):
        try:
            reading = parse_contract(text, file=file, table=name)
        except BadInput as error:
            faults |= {str(fault): fault for fault in error.faults}
        else:
            tables.append(reading.contract)
            skipped |= dict.fromkeys(reading.not_executed)
    for name in {name for name in names if names.count(name) > 1}:
        fault = document.fault(("schema",), "each table name once", f"{name!r} {names.count(name)} times")
        faults[str(fault)] = fault
    if faults:
        raise refusal(file, list(faults.values()))
    return Edition(
        file=file,
        id=str(document.data["id"]),
        version=str(document.data["version"]),
        data=document.data,
        tables=tuple(tables),
        not_executed=tuple(skipped),
    )


def _names(data: Any) -> list[str]:
    tables = data.get("schema") if isinstance(data, dict) else None
    found = [table.get("name") for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []
    return [name for name in found if isinstance(name, str)]
