"""Regular expressions for whole columns, with the verdicts that Python gives single values.

Rust's engine and Python's differ in corners (what counts as a digit, where `$` stands), and a row must not get two
verdicts. So a pattern is rewritten for Rust from Python's own parse of it, node by node, for texts of ASCII characters
only, where both engines mean the same; what is not provably the same (look-around, back-references, flags, other
alphabets) stays with Python, which then sees each distinct value once.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import polars as pl

LARGEST_REPEAT = 1000  # beyond it Rust's automaton grows out of proportion
_CLASSES = {
    op.CATEGORY_DIGIT: "[0-9]",
    op.CATEGORY_NOT_DIGIT: "[^0-9]",
    op.CATEGORY_SPACE: r"[\x09-\x0d\x1c-\x20]",
    op.CATEGORY_NOT_SPACE: r"[^\x09-\x0d\x1c-\x20]",
    op.CATEGORY_WORD: "[0-9A-Za-z_]",
    op.CATEGORY_NOT_WORD: "[^0-9A-Za-z_]",
}


class _Untranslatable(Exception):
    """The pattern stays with Python."""


def unmatched(pattern: str, value: pl.Expr, column: pl.Series) -> pl.Expr:
    """True where the text does not match; `value` is the expression of the texts, `column` the same texts.

    >>> table = pl.DataFrame({"a": ["x1", "x", "\N{GREEK SMALL LETTER ALPHA}1", None]})
    >>> table.select(unmatched(r"^\\w\\d$", pl.col("a"), table["a"])).to_series().to_list()
    [False, True, False, None]
    """
    search = re.compile(pattern).search
    return unfit(lambda text: search(text) is not None, value, column, rust=in_rust(pattern))


def unfit(fits: Callable[[str], bool], value: pl.Expr, column: pl.Series, *, rust: str | None = None) -> pl.Expr:
    """True where `fits` says no; with `rust`, its twin for texts of ASCII characters, only other texts are asked."""
    if rust is None:
        return value.is_in(_all_unfit(fits, column))
    broken = ~value.str.contains(rust)
    foreign = column.filter((column.str.len_bytes() != column.str.len_chars()).fill_null(False))
    if foreign.is_empty():
        return broken
    alien = value.str.len_bytes() != value.str.len_chars()
    return pl.when(alien).then(value.is_in(_all_unfit(fits, foreign))).otherwise(broken)


def _all_unfit(fits: Callable[[str], bool], column: pl.Series) -> pl.Expr:
    texts = [text for text in column.drop_nulls().unique() if not fits(text)]
    return pl.lit(pl.Series(texts, dtype=pl.String())).implode()


@lru_cache(maxsize=512)
def in_rust(pattern: str) -> str | None:
    """The pattern for Rust, or None where it cannot be the same on every text of ASCII characters.

    >>> in_rust("^a.?"), in_rust("(?<!a)b")
    ('\\\\A\\\\x61(?:[^\\\\n]){0,1}', None)
    """
    try:
        tree = _parser.parse(pattern)
        if tree.state.flags & ~re.UNICODE:
            return None
        text = _sequence(list(tree), tail=True)
        pl.Series([""]).str.contains(text)
    except (_Untranslatable, pl.exceptions.PolarsError):
        return None
    return text


def _sequence(nodes: list[tuple[Any, Any]], *, tail: bool) -> str:
    """`tail`: nothing follows, so that an end of text may take the newline that Python lets stand before it."""
    last = len(nodes) - 1
    return "".join(_node(kind, value, tail=tail and at == last) for at, (kind, value) in enumerate(nodes))


def _node(kind: Any, value: Any, *, tail: bool) -> str:
    if kind is op.LITERAL:
        return _character(value)
    if kind is op.NOT_LITERAL:
        return f"[^{_character(value)}]"
    if kind is op.ANY:
        return r"[^\n]"
    if kind is op.IN:
        return _class(value)
    if kind is op.AT:
        return _anchor(value, tail=tail)
    if kind is op.BRANCH:
        return "(?:" + "|".join(_sequence(list(branch), tail=tail) for branch in value[1]) + ")"
    if kind is op.SUBPATTERN and not value[1] and not value[2]:
        return "(?:" + _sequence(list(value[3]), tail=tail) + ")"
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
        low, high, inner = value
        if max(low, 0 if high is op.MAXREPEAT else high) > LARGEST_REPEAT:
            raise _Untranslatable
        return f"(?:{_sequence(list(inner), tail=False)}){{{low},{'' if high is op.MAXREPEAT else high}}}"
    raise _Untranslatable


def _anchor(value: Any, *, tail: bool) -> str:
    if value in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
        return r"\A"
    if value is op.AT_END_STRING:
        return r"\z"
    if value is op.AT_END and tail:
        return r"\n?\z"
    raise _Untranslatable


def _class(items: list[tuple[Any, Any]]) -> str:
    negated = bool(items) and items[0][0] is op.NEGATE
    parts = []
    for kind, value in items[1:] if negated else items:
        if kind is op.LITERAL:
            parts.append(_character(value))
        elif kind is op.RANGE:
            parts.append(f"{_character(value[0])}-{_character(value[1])}")
        elif kind is op.CATEGORY and value in _CLASSES:
            parts.append(_CLASSES[value])
        else:
            raise _Untranslatable
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _character(code: int) -> str:
    if code > 127:
        raise _Untranslatable
    return f"\\x{code:02x}"
