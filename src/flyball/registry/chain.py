"""How a fact becomes a line of the ledger: one SHA-256 that is both the chain's link and the tree's leaf.

The hash of an entry is the RFC 6962 leaf hash, SHA-256(0x00 || entry), of the RFC 8785 JSON of its fields
`at, event, prev_hash, seq, subject, type`. It names the entry before, so entries cannot be exchanged (the chain), and
it is the leaf of the Merkle tree, so one signed root stands for all entries and a part can be proven (the tree).
The text of the event is canonical already, so an entry's bytes are put around it without parsing it again.
"""

from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring

from flyball.core.codec import canonical
from flyball.core.events import AnyFact
from flyball.core.ledger import Sealed, Tip
from flyball.stats.merkle import Frontier

GENESIS = "0" * 64  # the `prev_hash` of entry 1
EMPTY = Tip(size=0, last_hash=GENESIS, frontier=())


def seal(tip: Tip, at: str, fact: AnyFact) -> tuple[Sealed, Tip]:
    """The entry that puts `fact` behind `tip`, and the tip after it. `at`: RFC 3339, UTC.

    Raises: ValueError: the fact holds a number that JSON cannot carry (NaN, infinity, an integer beyond 2**53).

    >>> from flyball.core.events import Thawed
    >>> from flyball.core.ids import ServiceName
    >>> fact = Thawed(service=ServiceName("fraud"), by="ann", why="repaired")
    >>> row, after = seal(EMPTY, "2026-11-21T10:00:00.000000Z", fact)
    >>> row.seq, row.subject, row.prev_hash == GENESIS, after.size, after.last_hash == row.hash
    (1, 'fraud', True, 1, True)
    """
    event = canonical(fact)
    seq, kind, subject = tip.size + 1, kind_of(fact), str(fact.service)
    leaf = entry_hash(at.encode(), event, tip.last_hash.encode(), seq, subject.encode(), kind.encode())
    frontier = Frontier(size=tip.size, hashes=tip.frontier).append(leaf)
    sealed = Sealed(
        seq=seq,
        at=at,
        type=kind,
        subject=subject,
        event=event.decode(),
        prev_hash=tip.last_hash,
        hash=leaf.hex(),
    )
    return sealed, Tip(size=frontier.size, last_hash=sealed.hash, frontier=frontier.hashes)


def root(tip: Tip) -> str:
    """RFC 6962 root over all entries, hex."""
    return Frontier(size=tip.size, hashes=tip.frontier).root().hex()


def entry_hash(at: bytes, event: bytes, prev_hash: bytes, seq: int, subject: bytes, kind: bytes) -> bytes:
    """RFC 6962 leaf hash of an entry, 32 bytes. All texts in UTF-8, `event` canonical.

    Raises: TypeError, ValueError: a field is not UTF-8 text, as in a damaged file.
    """
    return sha256(b"\x00" + entry_bytes(at, event, prev_hash, seq, subject, kind)).digest()


def entry_bytes(at: bytes, event: bytes, prev_hash: bytes, seq: int, subject: bytes, kind: bytes) -> bytes:
    """What is hashed: the RFC 8785 JSON of the six fields.

    >>> entry_bytes(b"now", b'{"a":1}', b"00", 1, b"fraud", b"t")
    b'{"at":"now","event":{"a":1},"prev_hash":"00","seq":1,"subject":"fraud","type":"t"}'
    """
    return b'{"at":%b,"event":%b,"prev_hash":%b,"seq":%d,"subject":%b,"type":%b}' % (
        _quoted(at),
        event,
        _quoted(prev_hash),
        seq,
        _quoted_often(subject),
        _quoted_often(kind),
    )


def export_line(
    seq: int, at: bytes, kind: bytes, subject: bytes, event: bytes, prev_hash: bytes, hash_: bytes
) -> bytes:
    """A row as a line of JSON: what was hashed, and behind it the hash."""
    return entry_bytes(at, event, prev_hash, seq, subject, kind)[:-1] + b',"hash":%b}\n' % _quoted(hash_)


def kind_of(fact: AnyFact) -> str:
    """The `type` of a fact, as it stands in its JSON."""
    return str(fact.__struct_config__.tag)


def _quoted(text: bytes) -> bytes:
    return encode_basestring(text.decode()).encode()  # escapes exactly what RFC 8785 escapes


_quoted_often = lru_cache(maxsize=4096)(_quoted)  # few services and kinds, many entries
