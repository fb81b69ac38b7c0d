"""An ODCS v3 data contract as something that can be executed.

Structure is that of the standard's own pydantic model (which by itself ignores unknown keys: we do not). What the
contract asks for and we cannot execute (rules of other engines, text, other tables) is listed by name, so that nobody
takes silence for a passed check.
"""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import BaseModel, ValidationError

from flyball.contracts.odcs.column import column_of, key_positions
from flyball.contracts.odcs.level import levels_of
from flyball.contracts.odcs.reference import references_of
from flyball.contracts.odcs.rule import Quality, absolute, quality_of
from flyball.contracts.odcs.versions import NEWEST, too_new
from flyball.contracts.schema_faults import found, nearest
from flyball.contracts.tables import sql
from flyball.contracts.yaml_text import Document, Path, read, refusal, show
from flyball.core.contract import Column, DataContract, Field, Query
from flyball.core.errors import Fault
from flyball.core.record import Record

VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
_REQUIRED = ("apiVersion", "kind", "id", "version", "status", "schema")
_NOTHING_TO_EXECUTE = "not executed by Flyball"


class Reading(Record):
    """A contract, and what of it is not executed: `schema[0].quality[1]: type sql: ...`."""

    contract: DataContract
    not_executed: tuple[str, ...] = ()


class Findings:
    """Collects what a reader finds on its way: faults, and promises that are not executed."""

    def __init__(self, document: Document) -> None:
        self.document = document
        declared = document.data.get("apiVersion") if isinstance(document.data, dict) else None
        self.version = declared if declared in VERSIONS else NEWEST  # an unknown version is a fault of its own
        self.faults: list[Fault] = list(document.faults)
        self.not_executed: list[str] = []

    def fault(self, path: Path, expected: str, what: str, fix: str = "") -> None:
        self.faults.append(self.document.fault(path, expected, what, fix))

    def skip(self, path: Path, what: str) -> None:
        self.not_executed.append(f"{show(path)}: {what}: {_NOTHING_TO_EXECUTE}")


def parse_contract(text: str, *, file: str = "contract.yaml", table: str | None = None) -> Reading:
    """Read an ODCS v3.0 to v3.2 text.

    Args:
        table: which table of the contract, where it has several; usually the name of the service's source.

    Raises: BadInput with all faults of the file.
    """
    document = read(text, file=file)
    findings = Findings(document)
    data = document.data
    contract: DataContract | None = None
    if data is not None and not isinstance(data, dict):
        findings.fault((), "a mapping", found(data))
    elif isinstance(data, dict):
        _structure(data, findings)
        contract = _contract(data, table, findings)
    if findings.faults or contract is None:
        raise refusal(file, findings.faults)
    return Reading(contract=contract, not_executed=tuple(findings.not_executed))


def _structure(data: dict[str, Any], findings: Findings) -> None:
    for key in _REQUIRED:
        # v3.2 made `status` optional
        if data.get(key) is None and not (key == "status" and data.get("apiVersion") == "v3.2.0"):
            findings.fault((key,), "a value", "nothing", "add it")
    if data.get("apiVersion") is not None and data["apiVersion"] not in VERSIONS:
        findings.fault(("apiVersion",), f"one of {', '.join(VERSIONS)}", found(data["apiVersion"]))
    if data.get("kind") is not None and data["kind"] != "DataContract":
        findings.fault(("kind",), "DataContract", found(data["kind"]))
    _unknown_keys(data, OpenDataContractStandard, (), findings)
    try:
        OpenDataContractStandard.model_validate(data, strict=True)
    except ValidationError as error:
        told: set[Path] = set()
        for item in error.errors(include_url=False):
            # a union names its branch in the location: such parts are no part of the file
            path = _in_file(data, tuple(item["loc"]))
            if item["type"] != "extra_forbidden" and path not in told:
                told.add(path)
                fix = f'quote it: "{item["input"]}"' if item["type"] == "string_type" else ""
                expected = str(item["msg"]).replace("Input should be ", "").replace("string", "text")
                findings.fault(path, expected, found(item["input"]), fix if not isinstance(item["input"], dict) else "")


def _in_file(data: Any, location: tuple[int | str, ...]) -> Path:
    path: Path = ()
    for part in location:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            data, path = data[part], (*path, part)  # type: ignore[index]
    return path


def _unknown_keys(value: Any, model: type[BaseModel], path: Path, findings: Findings) -> None:
    if not isinstance(value, dict):
        return
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, item in value.items():
        if key not in fields:
            findings.fault((*path, key), "a key of ODCS", "an unknown key", nearest(key, fields))
            continue
        if too_new(model.__name__, key, findings.version):
            instead = "say it as quality with metric invalidValues" if key == "enum" else "leave it out"
            expected, fix = f"a key of ODCS {findings.version}", f"declare apiVersion: {NEWEST}, or {instead}"
            findings.fault((*path, key), expected, f"one that ODCS has since {NEWEST}", fix)
        inner = _model_in(fields[key].annotation)
        if inner is None:
            continue
        if isinstance(item, list):
            for index, part in enumerate(item):
                _unknown_keys(part, inner, (*path, key, index), findings)
        else:
            # `team` is an object or a list of members: an object is the richer of the two
            _unknown_keys(item, _object_in(fields[key].annotation) or inner, (*path, key), findings)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside a list, or inside Optional."""
    for part in (annotation, *get_args(annotation)):
        for deep in (*get_args(part), part):
            if isinstance(deep, type) and issubclass(deep, BaseModel):
                return deep
    return None


def _object_in(annotation: Any) -> type[BaseModel] | None:
    return next((p for p in get_args(annotation) if isinstance(p, type) and issubclass(p, BaseModel)), None)


def _contract(data: dict[str, Any], table: str | None, findings: Findings) -> DataContract | None:
    chosen = _table(data, table, findings)
    if chosen is None:
        return None
    index, schema = chosen
    at: Path = ("schema", index)
    name = str(schema.get("name"))
    columns, quality = _columns(schema, at, str(data.get("apiVersion")), findings)
    quality.add(quality_of(schema.get("quality"), (*at, "quality"), None, columns, name, findings))
    key_positions(columns, at, findings)
    tables = [str(other.get("name")) for other in _items(data.get("schema")) if isinstance(other, dict)]
    lost = _unread(schema, columns)
    queries = tuple(_executable(quality, columns, lost, name, tables, findings))
    return DataContract(
        id=str(data.get("id")),
        version=str(data.get("version")),
        table=name,
        columns=tuple(column for column in columns if isinstance(column, Column)),
        beyond=tuple(column for column in columns if not isinstance(column, Column)),
        rules=tuple(quality.rules),
        queries=queries,
        distributions=tuple(quality.distributions),
        references=tuple(references_of(schema, at, name, columns, findings)),
        levels=tuple(levels_of(data.get("slaProperties"), data.get("slaDefaultElement"), name, columns, findings)),
    )


def _columns(schema: dict[str, Any], at: Path, version: str, findings: Findings) -> tuple[tuple[Field, ...], Quality]:
    """The columns of the table, and the quality rules that stand in them."""
    columns: list[Field] = []
    quality = Quality()
    seen: dict[str, int] = {}
    properties = schema.get("properties")
    if not isinstance(properties, list) or not properties:
        findings.fault((*at, "properties"), "at least one column", found(properties))
        properties = []
    for place, item in enumerate(properties):
        here: Path = (*at, "properties", place)
        if not isinstance(item, dict):
            continue  # told by the structure
        name = item.get("name")
        if isinstance(name, str) and name in seen:
            findings.fault((*here, "name"), "each column once", f"{name!r} again (first: properties[{seen[name]}])")
        seen.setdefault(str(name), place)
        column = column_of(item, here, version, findings)
        if column is not None:
            table = str(schema.get("name"))
            own = quality_of(item.get("quality"), (*here, "quality"), column, (column,), table, findings)
            column, own.rules = absolute(column, own.rules)
            columns.append(column)
            quality.add(own)
    return tuple(columns), quality


def _executable(
    quality: Quality,
    columns: tuple[Field, ...],
    lost: frozenset[str],
    table: str,
    tables: Sequence[str],
    findings: Findings,
) -> Iterator[Query]:
    """Each query is tried on an empty table, so that a fault is told before there are data.

    One that names a column whose own declaration is faulty is only read.
    """
    for at, query in quality.queries:
        try:
            sql.verify(query.sql, columns, table, unknown=lost)
        except sql.Unreadable as error:
            others = [name for name in tables if f"relation '{name}' was not found" in error.why]
            if others:
                findings.skip(at, f"query over another table, {others[0]}")
            else:
                findings.fault((*at, "query"), "a query that polars can execute", error.why, error.fix)
        else:
            yield query


def _unread(schema: dict[str, Any], columns: tuple[Field, ...]) -> frozenset[str]:
    """Names of properties that gave no column."""
    named = {item.get("name") for item in _items(schema.get("properties")) if isinstance(item, dict)}
    return frozenset(name for name in named if isinstance(name, str)) - {column.name for column in columns}


def _items(value: Any) -> list[Any]:
    """A list's items; of anything else none, for its type is told by the structure."""
    return value if isinstance(value, list) else []


def _table(data: dict[str, Any], wanted: str | None, findings: Findings) -> tuple[int, dict[str, Any]] | None:
    """The table named like the source, or the only one."""
    tables = [(i, t) for i, t in enumerate(_items(data.get("schema"))) if isinstance(t, dict)]
    for index, table in tables:
        if table.get("name") is None:
            findings.fault(("schema", index, "name"), "the name of the table", "nothing", "add it")
    if not tables:
        if data.get("schema") is not None:
            findings.fault(("schema",), "at least one table", found(data["schema"]))
        return None
    if len(tables) == 1:
        return tables[0]
    named = [pair for pair in tables if pair[1].get("name") == wanted]
    if len(named) == 1:
        return named[0]
    names = ", ".join(str(table.get("name")) for _, table in tables)
    findings.fault(("schema",), f"one table, or one named {wanted!r} like the source", f"the tables {names}")
    return None
