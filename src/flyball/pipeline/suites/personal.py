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
MOST_VALUES = 5000  # evenly chosen, behind the share of a column's values that have a weak kind
PIECE = 20_000  # characters that the detectors get at once
OVERLAP = 1000  # shared by neighbouring pieces: what a detector finds is shorter
WEAK_SHARE = 0.5  # share of a column's values that must pass a check digit; chance gives a tenth
LEAST_WEAK = 8  # values of that form, for the share to mean anything
# whatever a detector may find holds one of these; a bare number is only ever weak and is judged by its column
_HINT = (
    r"@|://|AccountKey=|PRIVATE KEY|eyJ|AKIA|ASIA|AIza|gh[pousr]_|github_pat_|xox|[A-Z]{2}\d{2}|[A-Z]{6}\d|\d{8}"
    r"|\d[\d .()\-]{6}|(?i:secret|token|passw|api[_\-]?key|credential)"
)
_PRINTABLE = re.compile(rb"[\x20-\x7e]{6,}")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\x00\x00\x00){6,}")  # NumPy keeps text as UTF-32
_HASHED = r"(?:[0-9a-f]{32,128}|[A-Za-z0-9_\-]{1,16}:[0-9a-f]{16,128})"


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
            if kept and not bool((values.eq(REDACTED) | values.str.contains(f"^{_HASHED}$")).all()):
                place = f"column {name}"
                found.append(Finding(file=file, place=place, kind="classified as personal, and not redacted"))
            continue
        tally: Counter[str] = Counter()
        for value in values.filter(values.str.contains(_HINT) & ~values.str.contains(r"^\d+$")):
            tally.update(kind for kind in {kind for kind, _ in _found(value)} if _sure(value, kind))
        step = max(1, -(-len(values) // MOST_VALUES))
        tally.update(_mostly(values.gather_every(step).to_list()))
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
    for place, piece, noise in pieces:
        found.update((place, kind) for kind, _ in _found(piece, noise=noise))
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


def _texts(column: pl.Series) -> pl.Series:
    """Different values as text, all of them; fractions and short numbers hold nothing."""
    if column.dtype == pl.String or column.dtype == pl.Categorical or isinstance(column.dtype, pl.Enum):
        return column.cast(pl.String).drop_nulls().unique(maintain_order=True)
    if column.dtype.is_integer():
        values = column.cast(pl.Int64, strict=False).drop_nulls().unique(maintain_order=True)
        return values.filter(values.abs() >= 10**8).cast(pl.String)
    return pl.Series([], dtype=pl.String)


def _found(text: str, *, noise: bool = False) -> set[tuple[str, int]]:
    """(kind, place), of a long text in overlapping pieces."""
    starts = range(0, max(1, len(text) - OVERLAP), PIECE - OVERLAP)
    return {(kind, start + at) for start in starts for kind, at in kinds(text[start : start + PIECE], noise=noise)}


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


def _lines(text: str) -> Iterator[tuple[str, str, bool]]:
    hinted = re.compile(_HINT).search
    yield from ((f"line {n}", line, False) for n, line in enumerate(text.splitlines(), 1) if hinted(line))


def _strings(data: bytes) -> Iterator[tuple[str, str, bool]]:
    """(place, text, whether it may be chance) of a pickle by its own opcodes (nothing is executed), of any other file
    by runs of printable bytes."""
    if data[:2] in (b"\x80\x05", b"\x80\x04"):
        seen = 0
        try:
            for _, argument, place in pickletools.genops(data):
                if isinstance(argument, str) and len(argument) >= 6:
                    yield f"byte {place}", argument, False
                elif isinstance(argument, bytes | bytearray):
                    yield from ((f"byte {place}", run, True) for _, run in _runs(bytes(argument)))
                seen = place or seen
            return
        except (ValueError, UnicodeDecodeError):
            data = data[seen:]  # not a pickle to its end: the rest as any other file
    yield from ((f"byte {place}", run, True) for place, run in _runs(data))


def _runs(data: bytes) -> Iterator[tuple[int, str]]:
    """Printable text between other bytes, one byte or four a character."""
    for match in _PRINTABLE.finditer(data):
        yield match.start(), match.group().decode()
    for match in _WIDE.finditer(data):
        yield match.start(), match.group().decode("utf-32-le")
