"""Is the ledger what it was? Pure: rows and heads go in, a verdict with the first bad entry comes out.

Theory of operation. One pass over the rows checks the numbering, each entry's hash, and that it names the one before.
That finds what was changed carelessly. Whoever recomputes all hashes behind a change, or cuts the end, leaves a chain
without fault; only a head that was signed before tells. A head holds hashes of spans of entries (its frontier, and
the newest leaves singly), so each span that ends within the ledger is compared, not only the root: the spans that
agree and those that do not close in on the first entry that was rewritten.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flyball.core.errors import LedgerBroken
from flyball.core.ledger import Tip
from flyball.core.record import Record
from flyball.registry.chain import GENESIS, entry_hash
from flyball.registry.checkpoint import Checkpoint
from flyball.stats.merkle import Frontier

CHUNK = 1024  # leaves that wait before they go into the tree
Row = tuple[int, bytes, bytes, bytes, bytes, bytes, bytes]  # seq, at, type, subject, event, prev_hash, hash


class HeadSeen(Record):
    """A head that was found, and what became of it."""

    source: str
    size: int  # entries
    root: str  # hex
    signed: bool  # by the key that was asked for
    agrees: bool  # the ledger has at least these entries, and they are the same


class Verification(Record):
    """The answer of `flyball ledger verify`."""

    ok: bool
    events: int
    root: str  # hex, over the entries up to the first break of the chain
    first_bad: int | None  # sequence number; where only a range is known, its first
    reason: str | None
    anchored_to: int  # entries behind this one are under no signed head
    heads: tuple[HeadSeen, ...] = ()
    last_bad: int | None = None  # end of the range that holds the first bad entry, where only a range is known


@dataclass(frozen=True)
class FoundHead:
    """A checkpoint to hold against the ledger."""

    source: str
    checkpoint: Checkpoint
    signed: bool


@dataclass(frozen=True)
class _Span:
    """Entries start < seq <= end have this subtree hash (one entry: its leaf hash), says `source`."""

    start: int
    end: int
    hash: bytes
    source: str
    of: int  # entries that its head was made over
    signed: bool


@dataclass
class _Walk:
    """What one pass found out."""

    frontier: Frontier
    last_hash: str
    differing: list[_Span]
    agreeing: list[_Span]
    broken: tuple[int, str] | None = None  # first bad entry, reason


def verify(rows: Iterable[Row], events: int, tip: Tip | None, heads: Sequence[FoundHead]) -> Verification:
    """Check `rows` (all entries, in order) against themselves, the author's tip and the heads.

    `events`: how many rows there are. `tip`: None where it is damaged. A row that cannot be read may raise
    LedgerBroken while iterating.
    """
    spans = [span for head in heads for span in _spans(head)]
    if tip is not None:
        spans += _frontier_spans("the tip in the database", Frontier(size=tip.size, hashes=tip.frontier), signed=False)
    walk = _walk(iter(rows), spans, tip)
    differing = {span.source for span in walk.differing}
    seen = tuple(
        HeadSeen(
            source=head.source,
            size=head.checkpoint.size,
            root=head.checkpoint.root.hex(),
            signed=head.signed,
            agrees=head.source not in differing and head.checkpoint.size <= walk.frontier.size,
        )
        for head in heads
    )
    first, last, reason = _judge(walk, seen, tip)
    return Verification(
        ok=reason is None,
        events=events,
        root=walk.frontier.root().hex(),
        first_bad=first,
        reason=reason,
        anchored_to=max((head.size for head in seen if head.signed and head.agrees), default=0),
        heads=seen,
        last_bad=last,
    )


def _judge(walk: _Walk, heads: Sequence[HeadSeen], tip: Tip | None) -> tuple[int | None, int | None, str | None]:
    """First bad entry, end of its range, reason: the earliest fault counts, whoever tells of it."""
    size = walk.frontier.size
    if walk.differing:
        first, last, source = _narrowed(walk)
        if walk.broken is None or first < walk.broken[0]:
            where = f"entry {first}" if first == last else f"one of the entries {first} to {last}"
            alone = None if first == last else last
            return first, alone, f"{where} is not what it was: {source} was made over other entries"
    if walk.broken is not None:
        return walk.broken[0], None, walk.broken[1]
    longest = max((head for head in heads if head.signed), key=lambda head: head.size, default=None)
    if longest is not None and longest.size > size:
        return size + 1, None, f"the end is missing: {longest.source} was made over {longest.size} entries"
    if tip is None:
        return None, None, "the tip in the database is damaged: the entries hold, but nothing can be appended"
    if tip.size > size:
        return size + 1, None, f"the end is missing: the ledger once had {tip.size} entries"
    if tip.size < size:
        return tip.size + 1, None, f"the ledger itself has appended {tip.size} entries; others put more behind them"
    if tip.last_hash != walk.last_hash:
        return size, None, "the tip in the database names another newest entry"
    for head in heads:
        if not head.signed:
            return None, None, f"{head.source} is not signed by the expected key"
        if not head.agrees:
            return None, None, f"{head.source} does not agree with the ledger"
    return None, None, None


def _walk(rows: Iterator[Row], spans: Iterable[_Span], tip: Tip | None) -> _Walk:
    """One pass, as far as the chain holds."""
    ends: dict[int, list[_Span]] = defaultdict(list)
    for span in spans:
        ends[span.end].append(span)
    walk = _Walk(Frontier.empty(), GENESIS, [], [])
    size, last, waiting = 0, GENESIS.encode(), list[bytes]()
    try:
        for row in rows:
            leaf = _leaf(row)
            hex_hash = leaf.hex().encode()
            if row[0] != size + 1 or row[5] != last or row[6] != hex_hash:
                walk.broken = _explained(row, size, last, hex_hash, next(rows, None), tip)
                break
            size, last = size + 1, hex_hash
            waiting.append(leaf)
            if size in ends or len(waiting) == CHUNK:
                walk.frontier, waiting = walk.frontier.extend(waiting), []
                for span in ends.get(size, ()):
                    found = leaf if span.end - span.start == 1 else _subtree(walk.frontier, span)
                    (walk.agreeing if found == span.hash else walk.differing).append(span)
    except LedgerBroken as error:
        walk.broken = (size + 1, f"entry {size + 1} cannot be read: {error}")
    walk.frontier, walk.last_hash = walk.frontier.extend(waiting), last.decode()
    return walk


def _leaf(row: Row) -> bytes:
    seq, at, kind, subject, event, prev_hash, _ = row
    try:
        return entry_hash(at, event, prev_hash, seq, subject, kind)
    except (TypeError, ValueError, AttributeError):  # no UTF-8 text: such an entry was never written by us
        return b"?"


def _explained(
    row: Row, size: int, last: bytes, computed: bytes, after: Row | None, tip: Tip | None
) -> tuple[int, str]:
    """Which entry is bad where the chain breaks at `row`, `size` being the last good one."""
    seq, prev_hash, hash_ = row[0], row[5], row[6]
    if seq != size + 1:
        return size + 1, f"entry {size + 1} is missing: entry {seq} comes next"
    if computed != hash_:
        return seq, f"entry {seq} was changed: its hash does not fit its content"
    # the entry fits its own hash, so it or the one before was made anew; whoever comes next knows which it followed
    vouched = after[5] if after is not None else tip.last_hash.encode() if tip is not None else b""
    if size and vouched == hash_:
        return size, f"entry {size} was made anew: entry {seq} follows another one"
    return seq, f"entry {seq} was made anew: it does not follow entry {size} ({prev_hash!r} is not {last!r})"


def _narrowed(walk: _Walk) -> tuple[int, int, str]:
    """The smallest range that is known to hold a differing entry: first and last number, and who says so.

    What agrees vouches only if it was signed, and not if its head contradicts: whoever has the key can sign anew.
    """
    span = min(walk.differing, key=lambda span: (span.end, span.start - span.end))
    start = span.start
    for good in sorted(walk.agreeing, key=lambda span: span.start):
        believed = good.signed and (good.source == span.source or good.of < span.end)
        if believed and good.start <= start < good.end < span.end:
            start = good.end
    return start + 1, span.end, span.source


def _spans(head: FoundHead) -> Iterator[_Span]:
    """All that a head tells about parts of the ledger. A head without a frontier tells its root only."""
    told, size = head.checkpoint, head.checkpoint.size
    if told.frontier:
        yield from _frontier_spans(head.source, Frontier(size=size, hashes=told.frontier), signed=head.signed)
    elif size:
        yield _Span(0, size, told.root, head.source, size, head.signed)
    for seq, leaf in enumerate(told.leaves, start=size - len(told.leaves) + 1):
        yield _Span(seq - 1, seq, leaf, head.source, size, head.signed)


def _frontier_spans(source: str, frontier: Frontier, *, signed: bool) -> list[_Span]:
    return [
        _Span(start, end, each, source, frontier.size, signed)
        for (start, end), each in zip(frontier.spans(), frontier.hashes, strict=True)
    ]


def _subtree(frontier: Frontier, span: _Span) -> bytes:
    """Hash over the span, which ends where the frontier ends; one that does not begin at 0 is a perfect subtree."""
    return frontier.root() if span.start == 0 else frontier.hashes[-1]
