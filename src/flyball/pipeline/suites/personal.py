"""Personal data and secrets where they must not be: rows that are kept as samples, logs, plots, code and model files.

A finding names file, place and kind, never the value. A column that the contract classifies as personal is known: it is
no finding in the data, and in a file that is kept only where its values stand there unredacted.
"""

import pickletools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import polars as pl

from flyball.core.record import Record
from flyball.core.release import Estimate
from flyball.pipeline.suites.detectors import kinds, weak_kind
from flyball.pipeline.suites.found import Found, named, result

REDACTED = "(redacted)"
MOST_VALUES = 5000  # different values of a column that are read
MOST_TEXT = 4_000_000  # characters of a file that are read
WEAK_SHARE = 0.5  # share of a column's values that must pass a check digit; chance gives a tenth
LEAST_WEAK = 8  # values of that form, for the share to mean anything
_PRINTABLE = re.compile(rb"[\x20-\x7e]{6,}")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\x00\x00\x00){6,}")  # NumPy keeps text as UTF-32
_HASHED = re.compile(r"(?:[0-9a-f]{32,128}|[A-Za-z0-9_\-]{1,16}:[0-9a-f]{16,128})")


class Finding(Record):
    """Where something is that must not be there."""

    file: str  # relative path, or `data`
    place: str  # column, line, or byte offset
    kind: str
    count: int = 1

    def __str__(self) -> str:
        many = f", {self.count} times" if self.count > 1 else ""
        return f"{self.file}: {self.place}: {self.kind}{many}"


def in_table(
    table: pl.DataFrame, *, file: str, personal: Iterable[str] = (), kept: bool = False
) -> tuple[Finding, ...]:
    """Findings in the columns of a table.

    Args:
        file: its name, for the words.
        personal: columns that the contract classifies so.
        kept: the table is kept beside a release, so that classified columns have to be redacted.

    >>> [str(found) for found in in_table(pl.DataFrame({"note": ["call jo@firm.org"]}), file="probe.parquet")]
    ['probe.parquet: column note: e-mail address']
    """
    found: list[Finding] = []
    known = frozenset(personal)
    for name in table.columns:
        values = _texts(table[name])
        if name in known:
            if kept and any(value != REDACTED and not _HASHED.fullmatch(value) for value in values):
                place = f"column {name}"
                found.append(Finding(file=file, place=place, kind="classified as personal, and not redacted"))
            continue
        tally = Counter(kind for value in values for kind in {kind for kind, _ in kinds(value)} if _sure(value, kind))
        tally.update(_mostly(values))
        found += [Finding(file=file, place=f"column {name}", kind=kind, count=n) for kind, n in sorted(tally.items())]
    return tuple(found)


def in_file(path: str, data: bytes) -> tuple[Finding, ...]:
    """Findings in a file: text by line, anything else by the strings that it holds.

    >>> str(in_file("train.log", b"ok\\nsent to jo@firm.org\\n")[0])
    'train.log: line 2: e-mail address'
    """
    try:
        text = data.decode("utf-8") if b"\x00" not in data[:4096] else None
    except UnicodeDecodeError:
        text = None
    pieces = _lines(text) if text is not None else _strings(data)
    found: Counter[tuple[str, str]] = Counter()
    for place, piece in pieces:
        found.update((place, kind) for kind, _ in kinds(piece))
    return tuple(Finding(file=path, place=place, kind=kind, count=n) for (place, kind), n in sorted(found.items()))


def told(
    findings: Iterable[Finding], *, looked_at: Mapping[str, int], mode: Literal["fail", "warn"], name: str
) -> Found:
    """One result and `privacy.findings`.

    Args: looked_at: what was read -> how much of it (values or bytes), for the words. mode: `tests.personal`.
    """
    items = list(findings)
    where = ", ".join(f"{what}: {amount:,}" for what, amount in looked_at.items()) or "nothing"
    count = Estimate(value=float(len(items)), low=float(len(items)), high=float(len(items)), n=sum(looked_at.values()))
    if not looked_at:
        test = result("privacy", name, "privacy", "FAIL", "missing evidence: nothing was read")
    elif items:
        reason = named(map(str, items), most=8)
        test = result("privacy", name, "privacy", "FAIL", reason, hard=mode == "fail", found=count, limit=0.0)
    else:
        test = result("privacy", name, "privacy", "PASS", f"nothing found in {where}", found=count, limit=0.0)
    return Found(tests=(test,), metrics={"privacy.findings": count})


def redacted(table: pl.DataFrame, personal: Iterable[str]) -> pl.DataFrame:
    """The table with the values of classified text columns replaced: what may be kept beside a release.

    >>> redacted(pl.DataFrame({"card": ["17"], "x": [1]}), ["card"]).rows()
    [('(redacted)', 1)]
    """
    chosen = [name for name in personal if name in table.columns and table[name].dtype == pl.String]
    return table.with_columns(pl.lit(REDACTED).alias(name) for name in chosen)


def _texts(column: pl.Series) -> list[str]:
    """Different values as text, evenly chosen where there are many; fractions and short numbers hold nothing."""
    if column.dtype == pl.String or column.dtype == pl.Categorical or isinstance(column.dtype, pl.Enum):
        values = column.cast(pl.String).drop_nulls().unique(maintain_order=True)
    elif column.dtype.is_integer():
        values = column.cast(pl.Int64, strict=False).drop_nulls().unique(maintain_order=True)
        values = values.filter(values.abs() >= 10**8).cast(pl.String)
    else:
        return []
    step = max(1, -(-len(values) // MOST_VALUES))
    return [str(value) for value in values.gather_every(step).to_list()]


def _sure(value: str, kind: str) -> bool:
    """A whole value that is a bare number of a weak kind is judged by its column."""
    return kind not in weak_kind(value)


def _mostly(values: list[str]) -> Iterator[str]:
    """Weak kinds that most values of a column have."""
    formed = [value for value in values if value.isalnum() and 8 <= len(value) <= 19 and any(map(str.isdigit, value))]
    if len(formed) < LEAST_WEAK or len(formed) < WEAK_SHARE * len(values):
        return
    tally = Counter(kind for value in formed for kind in weak_kind(value))
    yield from (kind for kind, hits in tally.items() if hits >= WEAK_SHARE * len(formed))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text[:MOST_TEXT].splitlines(), 1):
        yield f"line {number}", line[:20_000]


def _strings(data: bytes) -> Iterator[tuple[str, str]]:
    """Strings of a pickle by its own opcodes (nothing is executed), of any other file by runs of printable bytes."""
    if data[:2] in (b"\x80\x05", b"\x80\x04"):
        seen = 0
        try:
            for _, argument, place in pickletools.genops(data):
                if isinstance(argument, str) and len(argument) >= 6:
                    yield f"byte {place}", argument
                elif isinstance(argument, bytes | bytearray):
                    yield from ((f"byte {place}", run) for _, run in _runs(bytes(argument[:MOST_TEXT])))
                seen = place or seen
            return
        except (ValueError, UnicodeDecodeError):
            data = data[seen:]  # not a pickle to its end: the rest as any other file
    yield from ((f"byte {place}", run) for place, run in _runs(data[:MOST_TEXT]))


def _runs(data: bytes) -> Iterator[tuple[int, str]]:
    """Printable text between other bytes, one byte or four a character."""
    for match in _PRINTABLE.finditer(data):
        yield match.start(), match.group().decode()
    for match in _WIDE.finditer(data):
        yield match.start(), match.group().decode("utf-32-le")
