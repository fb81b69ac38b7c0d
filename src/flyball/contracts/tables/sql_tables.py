"""What a query reads from: the words after FROM and JOIN, each of which has to be a table that the query may read.

The text is cut into tokens as polars' parser cuts it: comments nest, quotes of three kinds double to stand for
themselves, a backslash is a character. A text that other rules would cut elsewhere (a string with a prefix, a dollar
quote) is refused, as what it hides cannot be told.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

_PIECE = re.compile(
    r"(?P<space>\s+|--[^\n\r]*)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_MASK = re.compile(r"/\*|\*/")
_PREFIXES = frozenset({"e", "n", "x", "b", "r", "q", "u", "nq", "rb", "br"})  # of strings with rules of their own
_WITH_FROM = frozenset({"extract", "trim", "substring", "substr", "overlay"})  # functions with FROM in their arguments
_ENDS_FROM = frozenset(
    [
        "select",
        "where",
        "group",
        "having",
        "order",
        "limit",
        "offset",
        "union",
        "intersect",
        "except",
        "qualify",
        "window",
        "fetch",
        "values",
    ]
)
_OPENS_FILES = re.compile(r"(read|scan)_", re.IGNORECASE)


class Hidden(Exception):
    """A text of which it cannot be said where its tokens end, or a table that the query may not read: why."""


@dataclass(frozen=True)
class Token:
    kind: Literal["text", "name", "word", "number", "mark"]
    said: str  # without quotes

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.said.lower() in words

    def is_mark(self, mark: str) -> bool:
        return self.kind == "mark" and self.said == mark

    @property
    def names(self) -> bool:
        return self.kind in ("name", "word")


def tokens(query: str) -> list[Token]:
    """The query without spaces and comments. Raises: Hidden.

    >>> [token.said for token in tokens('SELECT 1 /* a /* b */ c */ FROM "re""ad" -- x')]
    ['SELECT', '1', 'FROM', 're"ad']
    """
    found: list[Token] = []
    at, touching = 0, False  # whether the token before ends where this one begins
    while at < len(query):
        if query.startswith("/*", at):
            at, touching = _after_comment(query, at), False
            continue
        piece = _PIECE.match(query, at)
        assert piece is not None, "every character is a mark at least"
        at, kind, said = piece.end(), str(piece.lastgroup), piece[0]
        if kind == "space":
            touching = False
            continue
        if kind in ("text", "name"):
            if touching and found[-1].kind == "word" and found[-1].said.lower() in _PREFIXES:
                raise Hidden(f"{found[-1].said}{said[0]}...: a string with a prefix")
            if touching and found[-1].is_mark("&"):
                raise Hidden(f"&{said[0]}...: a string with a prefix")
            said = said[1:-1].replace(said[0] * 2, said[0])
        if kind == "mark" and said in "'\"`$":
            raise Hidden(f"{said}: a quote that does not end, or a dollar quote")
        found.append(Token(kind, said))  # type: ignore[arg-type]
        touching = True
    return found


def _after_comment(query: str, at: int) -> int:
    depth = 0
    if query.startswith("/*!", at):
        raise Hidden("/*!: a comment that some parsers execute")
    for mask in _MASK.finditer(query, at):
        depth += 1 if mask[0] == "/*" else -1
        if depth == 0:
            return mask.end()
    raise Hidden("/*: a comment that does not end")


@dataclass
class _Level:
    """What is known of the text between two parentheses."""

    function: bool = False  # FROM stands between arguments here
    from_list: bool = False
    table_next: bool = False


@dataclass
class _Walk:
    allowed: frozenset[str]
    levels: list[_Level] = field(default_factory=lambda: [_Level()])


def only_reads(table: str, words: Sequence[Token]) -> None:
    """Refuse whatever the query reads from but its table, its own WITH names and queries in parentheses.

    Raises: Hidden: why.

    >>> only_reads("t", tokens("WITH x AS (SELECT a FROM t) SELECT COUNT(*) FROM x JOIN (SELECT 1) AS y ON true"))
    >>> only_reads("t", tokens('SELECT COUNT(*) FROM "read_csv"(\\'/any/file\\')'))
    Traceback (most recent call last):
    flyball.contracts.tables.sql_tables.Hidden: read_csv(...): a table function, as in a query that opens files
    """
    walk = _Walk(frozenset({table.lower(), *(name.lower() for name in _with_names(words))}))
    for place, token in enumerate(words):
        follows = words[place + 1] if place + 1 < len(words) else None
        called = follows is not None and follows.is_mark("(")
        if called and token.names and _OPENS_FILES.match(token.said):
            raise _function(token)
        _step(walk, words, place, called=called, dotted=follows is not None and follows.is_mark("."))


def _step(walk: _Walk, words: Sequence[Token], place: int, *, called: bool, dotted: bool) -> None:
    token, level = words[place], walk.levels[-1]
    before = words[place - 1] if place else None
    if token.is_mark("("):
        function = before is not None and before.is_word(*_WITH_FROM)
        walk.levels.append(_Level(function=function, from_list=level.table_next, table_next=level.table_next))
        level.table_next = False
    elif token.is_mark(")"):
        if len(walk.levels) > 1:
            walk.levels.pop()
    elif token.is_word(*_ENDS_FROM, "with"):
        level.from_list = level.table_next = level.function = False
    elif level.table_next:
        level.table_next = False
        _table(walk.allowed, token, called=called, dotted=dotted)
    elif token.is_word("from", "join", "table"):
        if token.is_word("from") and (level.function or _is_distinct(words, place)):
            return
        level.from_list = level.table_next = True
    elif token.is_mark(",") and level.from_list:
        level.table_next = True


def _table(allowed: frozenset[str], token: Token, *, called: bool, dotted: bool) -> None:
    if token.names and called:
        raise _function(token)
    if not token.names or dotted or token.said.lower() not in allowed:
        raise Hidden(f"relation '{token.said}' was not found")


def _function(token: Token) -> Hidden:
    return Hidden(f"{token.said}(...): a table function, as in a query that opens files")


def _is_distinct(words: Sequence[Token], place: int) -> bool:
    """`IS DISTINCT FROM`, `IS NOT DISTINCT FROM`: a comparison."""
    before = [token.said.lower() if token.kind == "word" else "" for token in words[max(0, place - 3) : place]]
    return before[-2:] == ["is", "distinct"] or before == ["is", "not", "distinct"]


def _with_names(words: Sequence[Token]) -> Iterator[str]:
    """`WITH a AS (...), b (x, y) AS (...)`: a, b."""
    for start, token in enumerate(words):
        if not token.is_word("with"):
            continue
        at = start + 1
        if at < len(words) and words[at].is_word("recursive"):
            at += 1
        while at < len(words) and words[at].names:
            name, at = words[at].said, _after_group(words, at + 1)
            if at >= len(words) or not words[at].is_word("as"):
                break
            yield name
            at = _after_group(words, at + 1)
            if at >= len(words) or not words[at].is_mark(","):
                break
            at += 1


def _after_group(words: Sequence[Token], at: int) -> int:
    """Behind the parentheses that begin here; here where none begin."""
    depth = 0
    while at < len(words):
        depth += words[at].is_mark("(") - words[at].is_mark(")")
        if depth == 0:
            return at + 1 if words[at].is_mark(")") else at
        at += 1
    return at
