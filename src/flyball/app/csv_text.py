"""A CSV file from bytes to cells: encoding, header, and lines with as many cells as the header.

Polars fills a short line with nulls and says of a long one only that there is one. Neither may pass: half a line is
what a broken transfer leaves behind.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from flyball.app.table_faults import fault, refuse, refuse_all
from flyball.core.contract import Kind
from flyball.core.errors import BadInput

MOST_FAULTS = 5
FIRST_ROWS = 10_000  # that types are inferred from at first
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}  # a byte order mark at the start of the file
_NEVER = "\x1f"  # a separator that no text holds, to read whole lines


def read_csv(path: Path, header: bytes, separator: str, kinds: Mapping[str, Kind] | None) -> pl.DataFrame:
    """Cells with the types that polars infers from all rows; what a contract calls text stays text.

    Raises: BadInput: not UTF-8, no header, a column name twice, lines that are no CSV.
    """
    check_text(path, header)
    try:
        names = names_of(path, header, separator)
        texts = {name: pl.String() for name in names if kinds is not None and kinds.get(name) == "string"}
        return _inferred(path, separator, texts)
    except pl.exceptions.PolarsError as error:
        _refuse_encoding(path)
        faults_of_lines(path, separator, len(names_of(path, header, separator)))
        raise refuse(path, "(file)", "a CSV file in UTF-8", str(error).splitlines()[0]) from error


def check_text(path: Path, header: bytes) -> None:
    """Raises: BadInput: the file begins as no text in UTF-8 does, or without a header."""
    encoding = _MARKS.get(header[:2]) or ("UTF-16 without a mark" if b"\x00" in header else None)
    if encoding is not None:
        raise refuse(path, "(file)", "text in UTF-8", encoding, _recode("UTF-16", path))
    if not header.strip():
        raise refuse(path, "(file)", "a header with column names", "an empty file or line")


def _inferred(path: Path, separator: str, texts: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Types from the first rows, which is five times as fast; from all of them where the first ones mislead."""
    try:
        table = pl.read_csv(
            path, separator=separator, try_parse_dates=True, infer_schema_length=FIRST_ROWS, schema_overrides=texts
        )
    except pl.exceptions.ComputeError:  # a later cell does not fit; what all rows say is then told as it is
        table = None
    if table is not None and not _unseen(table, texts):
        return table
    return pl.read_csv(
        path, separator=separator, try_parse_dates=True, infer_schema_length=None, schema_overrides=texts
    )


def _unseen(table: pl.DataFrame, texts: Mapping[str, pl.DataType]) -> bool:
    """Whether a column is text only because its first cells are empty."""
    first = table.head(FIRST_ROWS)
    return table.height > FIRST_ROWS and any(
        values.dtype == pl.String and values.name not in texts and values.null_count() == values.len()
        for values in first.get_columns()
    )


def faults_of_lines(path: Path, separator: str, width: int) -> None:
    """Refuse lines that have more or fewer cells than the header.

    Raises: BadInput: with the first of them.
    """
    if width < 2:
        return  # an empty line is a missing value there
    odd = list(_odd_lines(path, separator, width))
    if not odd:
        return
    more = len(odd) - MOST_FAULTS
    fix = f"a cell that holds {'a tab' if separator == chr(9) else 'a comma'} is put in quotes"
    fix += f"; {more} more lines are like this" if more > 0 else ""
    cells = f"{width} cells, as in the header"
    raise refuse_all(path, [fault(path, f"line {line}", cells, str(count), fix) for line, count in odd[:MOST_FAULTS]])


def names_of(path: Path, header: bytes, separator: str) -> list[str]:
    """The header's names. Polars would rename the second of two equal ones, and a contract would then miss it.

    Raises: BadInput: a name twice, or another separator.
    """
    try:
        row = pl.read_csv(header, separator=separator, has_header=False, infer_schema=False, encoding="utf8").row(0)
    except pl.exceptions.NoDataError as error:
        raise refuse(path, "(file)", "a header with column names", "an empty file or line") from error
    names = [str(name) for name in row]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        what = ", ".join(f"{name} {names.count(name)} times" for name in repeated)
        raise refuse(path, "(header)", "each column name once", what, "rename all but one")
    if len(names) == 1 and ";" in names[0]:
        fix = "write it with commas, or as .tsv with tabs"
        raise refuse(path, "(header)", "names separated by commas", "semicolons", fix)
    return names


def _refuse_encoding(path: Path) -> None:
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        near = data[max(0, error.start - 12) : error.start + 12].decode("latin-1").strip()
        what = f"byte {data[error.start]:#04x}, which as Latin-1 would read {near!r}"
        raise refuse(path, f"line {line}", "text in UTF-8", what, _recode("LATIN1", path)) from error


def _recode(encoding: str, path: Path) -> str:
    return f"iconv -f {encoding} -t UTF-8 {path.name} > utf8.csv"


def _odd_lines(path: Path, separator: str, width: int) -> Iterator[tuple[int, int]]:
    """Lines, counted from 1, with another number of cells than the header; empty lines are none of them."""
    lines = pl.read_csv(
        path,
        separator=_NEVER,
        quote_char=None,
        has_header=False,
        infer_schema=False,
        new_columns=["line"],
        truncate_ragged_lines=True,
    ).get_column("line")
    if lines.str.contains('"', literal=True).any():
        yield from _odd_quoted(path, separator, width)  # a quoted cell may hold separators and line ends
        return
    cells = lines.str.count_matches(separator, literal=True) + 1
    for place in ((cells != width) & lines.is_not_null() & (lines != "")).fill_null(False).arg_true():
        yield int(place) + 1, int(cells[place])


def _odd_quoted(path: Path, separator: str, width: int) -> Iterator[tuple[int, int]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        try:
            for row in reader:
                if row and len(row) != width:
                    yield reader.line_num, len(row)
        except csv.Error as error:
            raise _broken(path, reader.line_num, error) from error


def _broken(path: Path, line: int, error: csv.Error) -> BadInput:
    return refuse(path, f"line {line}", "a line of CSV", str(error))
