"""What a backfill is made of: rows of the repaired table matched with rows of the log, checked, as the log writes them.

All faults of the two tables are told at once. A row is matched by its prediction id (column `id`), else by the key of
the service where each key came once in the span.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from flyball.adapters.prediction_log.files import Sealed, sealed
from flyball.adapters.prediction_log.query import tables
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.tables import read
from flyball.app.wiring.secret import secret_of
from flyball.app.wiring.serving.panes import tables_of
from flyball.contracts.tables.check import Report, check
from flyball.core.clock import CLOCK_SKEW_S, timestamp
from flyball.core.codec import digest
from flyball.core.contract import Kind
from flyball.core.errors import BadInput, Fault
from flyball.core.frames import conform
from flyball.core.log_tables import FEATURE
from flyball.core.prediction import LabelRecord
from flyball.monitor.state.windows import MINUTES_5
from flyball.serving.redact import hashed, personal

ID, LABEL, AT = "id", "label", "at"


class Prepared:
    """A backfill that could be done."""

    def __init__(
        self,
        *,
        backfill: str,
        since: float,
        until: float,
        source: str,
        rows: pl.DataFrame | None,
        labels: list[LabelRecord],
        report: Report | None,
        originals: int,
        missing: pl.DataFrame,
        rest_is_lost: bool = False,
    ) -> None:
        self.backfill, self.since, self.until, self.source = backfill, since, until, source
        self.rows, self.labels = rows, labels  # `id` and `x.<name>`, as the log has them; None: labels only
        self.report = report  # the contract's word on the rows
        self.originals = originals  # rows of the log in the span
        self.missing = missing  # `id` and `unit` of those that the table of rows does not bring, in their order
        self.rest_is_lost = rest_is_lost  # nobody will bring them


def prepared(
    home: Home,
    declared: Declared,
    *,
    since: float,
    until: float,
    rows: Path | None,
    labels: Path | None,
    now: datetime,
    advance: Callable[[int], None],
    rest_is_lost: bool = False,
) -> Prepared:
    """Raises: BadInput with all faults of the span and the tables."""
    name = declared.service.metadata.name
    folder = home.telemetry(name)
    faults = list(_of_span(sealed(folder), since, until))
    for option, path in (("--rows", rows), ("--labels", labels)):
        if path is not None and not path.is_file():
            faults.append(_fault(option, str(path), "a file: Parquet or CSV", "no such file"))
    if rows is None and labels is None:
        faults.append(_fault("--rows, --labels", "(none)", "a table of rows, of labels, or both", "neither"))
    if faults:
        raise BadInput("The backfill cannot be made.", tuple(faults))
    log = tables(folder, ("predictions",), since=since, until=until, advance=advance)["predictions"]
    there = log.select(ID, "unit").collect(engine="streaming").unique(ID, keep="last", maintain_order=True)
    kinds = {column.name: column.kind for column in declared.contract.columns}
    mended, report, told = None, None, list[LabelRecord]()
    if rows is not None:
        logged = {FEATURE + name: kind for name, kind in kinds.items()}
        table = _unprefixed(read(rows, kinds | logged), kinds, rows, faults)
        _complete(table, declared, rows, faults)
        table = _matched(table, there, declared, home, rows, faults)
        if not faults:
            told += _labels_in(table, declared, rows, now, faults, own=True)
            mended, report = _as_logged(table, declared, home, rows, faults)
    if labels is not None:
        table = _matched(read(labels, {ID: "string"}), there, declared, home, labels, faults)
        if not faults:
            told += _labels_in(table, declared, labels, now, faults, own=False)
    if faults:
        raise BadInput("The backfill cannot be made.", tuple(faults))
    roots = {option: _root(path) for option, path in (("rows", rows), ("labels", labels)) if path is not None}
    about = {"service": name, "since": since, "until": until, "contract": declared.contract.version, **roots}
    about |= {"rest": "lost"} if rest_is_lost else {}
    return Prepared(
        backfill=digest("flyball/backfill/v1", about),
        since=since,
        until=until,
        source=roots.get("rows") or roots["labels"],
        rows=mended,
        labels=told,
        report=report,
        originals=there.height,
        missing=there.clear() if mended is None else there.filter(~there[ID].is_in(mended[ID].implode())),
        rest_is_lost=rest_is_lost,
    )


def _of_span(there: list[Sealed], since: float, until: float) -> Iterator[Fault]:
    if since >= until:
        yield _fault("--until", _at(until), f"a time after --since, {_at(since)}", "not after it")
    if not there:
        yield _fault("--since", _at(since), "a prediction log with sealed panes", "none")
        return
    last = there[-1].panes()[-1].end
    if until > last:
        expected = f"a time that sealed panes reach, {_at(last)} at most"
        yield _fault("--until", _at(until), expected, "a later one", "wait until the span is over")
    first = there[0].panes()[0].start
    if first > since + MINUTES_5:
        yield _fault("--since", _at(since), f"a time that the log goes back to, {_at(first)} at least", "earlier")


def _at(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def _unprefixed(table: pl.DataFrame, kinds: Mapping[str, Kind], path: Path, faults: list[Fault]) -> pl.DataFrame:
    """Inputs that have the names of the log, `x.amount`, get those of the contract."""
    named = {FEATURE + name: name for name in kinds if FEATURE + name in table.columns and FEATURE + name not in kinds}
    for theirs, ours in named.items():
        if ours in table.columns:
            faults.append(_fault(str(path), theirs, "one column of an input", f"{theirs} and {ours}"))
    return table if faults else table.rename(named)


def _complete(table: pl.DataFrame, declared: Declared, path: Path, faults: list[Fault]) -> None:
    if faults:
        return
    for name in tables_of(declared).features:
        if name not in table.columns:
            found = ", ".join(table.columns)
            faults.append(_fault(str(path), name, f"the input column {name}, or {FEATURE}{name}", found))


def _matched(
    table: pl.DataFrame, there: pl.DataFrame, declared: Declared, home: Home, path: Path, faults: list[Fault]
) -> pl.DataFrame:
    """The table with the ids of the log's rows."""
    key = declared.service.data.key
    if ID not in table.columns or (ID in _names(declared)):
        if key is None or key not in table.columns:
            expected = "a column `id` with prediction ids" + (f", or the key {key}" if key else "")
            faults.append(_fault(str(path), "columns", expected, ", ".join(table.columns)))
            return table
        table = _by_key(table, there, key, declared, home, path, faults)
    ids = table[ID].cast(pl.String)
    table = table.with_columns(ids)
    if ids.n_unique() < ids.len():
        twice = ids.filter(ids.is_duplicated()).unique().sort()
        faults.append(_fault(str(path), ID, "each row once", f"{twice.len()} of them twice, such as {twice[0]}"))
    strange = ids.filter(~ids.is_in(there[ID].implode()))
    if strange.len():
        found = f"{strange.len()} that are not, such as {strange[0]}"
        faults.append(_fault(str(path), ID, "predictions that arrived in the span", found))
    return table


def _by_key(
    table: pl.DataFrame,
    there: pl.DataFrame,
    key: str,
    declared: Declared,
    home: Home,
    path: Path,
    faults: list[Fault],
) -> pl.DataFrame:
    twice = there["unit"].filter(there["unit"].is_duplicated()).n_unique()
    if twice:
        found = f"{twice} keys with several rows in the span"
        faults.append(_fault(str(path), key, "keys that came once in the span, or a column `id`", found))
    units = table[key].cast(pl.String)
    if key in personal(declared.contract.columns):
        secret = secret_of(home)
        units = pl.Series(key, [hashed(value, secret) for value in table[key].to_list()], dtype=pl.String)
    known = dict(there.select("unit", ID).iter_rows())
    ids = [known.get(unit, f"{key} {unit}") for unit in units.to_list()]
    return table.with_columns(pl.Series(ID, ids, dtype=pl.String))


def _as_logged(
    table: pl.DataFrame, declared: Declared, home: Home, path: Path, faults: list[Fault]
) -> tuple[pl.DataFrame | None, Report | None]:
    """The inputs as the log writes them: the contract's columns and types, what is personal hashed."""
    label = declared.service.data.label
    columns = tuple(column for column in declared.contract.columns if column.name != label)
    report = check(table, replace(declared.contract, columns=columns))
    hidden = personal(columns)
    secret = secret_of(home) if hidden else b""
    for name in hidden & set(table.columns):
        values = [hashed(value, secret) for value in table[name].to_list()]
        table = table.with_columns(pl.Series(name, values, dtype=pl.String))
    try:
        typed = conform(table, tables_of(declared).features)
    except pl.exceptions.PolarsError as error:
        faults.append(_fault(str(path), "columns", "values of the contract's types", str(error)))
        return None, None
    return typed.select(table[ID], *(pl.col(name).alias(FEATURE + name) for name in typed.columns)), report


def _labels_in(
    table: pl.DataFrame, declared: Declared, path: Path, now: datetime, faults: list[Fault], *, own: bool
) -> list[LabelRecord]:
    """Labels of a table. `own`: of the table of rows, where the label has the name that the contract gives it."""
    column = declared.service.data.label if own or declared.service.data.label in table.columns else LABEL
    if column not in table.columns:
        if not own:
            faults.append(_fault(str(path), "columns", f"a column {LABEL} or {column}", ", ".join(table.columns)))
        return []
    answer = tables_of(declared).answer
    typed = table[column].cast(answer, strict=False)
    wrong = table[column].is_not_null() & typed.is_null()
    if wrong.any():
        example = table[column].filter(wrong)[0]
        faults.append(
            _fault(str(path), column, f"labels of type {answer}", f"{wrong.sum()} others, such as {example!r}")
        )
    times = [None] * table.height if own or AT not in table.columns else _known_at(table[AT], path, now, faults)
    told = zip(table[ID].to_list(), typed.to_list(), times, strict=True)
    return [
        LabelRecord(id=id_, label=value, at=now.timestamp() if at is None else at)
        for id_, value, at in told
        if value is not None
    ]


def _known_at(at: pl.Series, path: Path, now: datetime, faults: list[Fault]) -> Sequence[float | None]:
    """Seconds since the epoch. One of the future would stand before every label that comes until then."""
    latest = now.timestamp() + CLOCK_SKEW_S
    expected = f"times when labels were known, or seconds since 1970; {_at(latest)} at most"
    if not at.dtype.is_temporal() and not at.dtype.is_numeric():
        faults.append(_fault(str(path), AT, expected, f"{at.dtype}, such as {at.drop_nulls().first()!r}"))
        return [None] * at.len()
    seconds = at.cast(pl.Datetime("us")).dt.epoch("us") / 1e6 if at.dtype.is_temporal() else at.cast(pl.Float64)
    wrong = (~seconds.is_between(0, latest)).fill_null(value=False)
    if wrong.any():
        faults.append(_fault(str(path), AT, expected, f"{wrong.sum()} others, such as {at.filter(wrong).to_list()[0]}"))
    found: list[float | None] = seconds.to_list()
    return found


def _names(declared: Declared) -> set[str]:
    return {column.name for column in declared.contract.columns}


def _root(path: Path) -> str:
    return "sha256:" + sha256(path.read_bytes()).hexdigest()


def _fault(where: str, path: str, expected: str, found: str, fix: str = "") -> Fault:
    return Fault(where=where, path=path, expected=expected, found=found, fix=fix)
