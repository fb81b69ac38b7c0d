"""Merkle trees of RFC 6962, section 2.1: one hash that stands for a whole log.

Theory of operation. A leaf is hashed with the prefix 0x00, an inner node with 0x01, so neither can pass for the
other. A tree of n leaves splits at the largest power of two below n; that is the same tree as pairing neighbours
level by level and carrying an odd last node up unchanged, which is how it is computed here. A `Frontier` (a compact
range that begins at 0) keeps only the roots of the perfect subtrees, one for each set bit of the size: enough to
append for ever and to tell the root at each size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()  # RFC 6962: the hash of an empty list is the hash of an empty string


def leaf_hash(data: bytes) -> bytes:
    """Hash of one entry, 32 bytes: SHA-256(0x00 || data).

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node, 32 bytes: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree whose leaves have these hashes, 32 bytes; an empty tree has the hash of nothing.

    >>> root([]) == EMPTY_ROOT, root([leaf_hash(b"a")]) == leaf_hash(b"a")
    (True, True)
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        level = _parents(level)
    return level[0]


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """The roots of the perfect subtrees of a log, largest (oldest) first: all one needs to append and to sign."""

    size: int  # leaves, count
    hashes: tuple[bytes, ...]  # one for each set bit of size, largest subtree first

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(
                f"a frontier of {self.size} leaves has {self.size.bit_count()} hashes, not {len(self.hashes)}"
            )

    @classmethod
    def empty(cls) -> "Frontier":
        """The frontier of a log without entries."""
        return cls(size=0, hashes=())

    def append(self, leaf: bytes) -> "Frontier":
        """The frontier with one leaf hash more; O(log size).

        >>> Frontier.empty().append(leaf_hash(b"a")).append(leaf_hash(b"b")).size
        2
        """
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """The frontier with these leaf hashes more; one hash a leaf on average, so a million take about a second."""
        size, stack = self.size, list(self.hashes)
        for leaf in leaves:
            carry, bits = leaf, size
            while bits & 1:  # equal subtrees merge as a binary counter carries
                carry = sha256(b"\x01" + stack.pop() + carry).digest()
                bits >>= 1
            stack.append(carry)
            size += 1
        return Frontier(size=size, hashes=tuple(stack))

    def root(self) -> bytes:
        """The tree head, 32 bytes; equals `root` of all leaf hashes."""
        if not self.hashes:
            return EMPTY_ROOT
        head = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            head = node_hash(left, head)
        return head

    def spans(self) -> tuple[tuple[int, int], ...]:
        """The half-open range of leaves under each hash, in the order of `hashes`.

        >>> Frontier.empty().extend([leaf_hash(b"x")] * 6).spans()
        ((0, 4), (4, 6))
        """
        found: list[tuple[int, int]] = []
        start = 0
        for bit in range(self.size.bit_length() - 1, -1, -1):
            if self.size >> bit & 1:
                found.append((start, start + (1 << bit)))
                start += 1 << bit
        return tuple(found)


def inclusion_proof(hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Audit path of leaf `index`, from the leaf upwards, at most log2(size) hashes.

    Raises: IndexError: no such leaf.
    """
    if not 0 <= index < len(hashes):
        raise IndexError(f"leaf {index} is not in a tree of {len(hashes)}: expected 0 <= index < {len(hashes)}")
    level, at, path = list(hashes), index, []
    while len(level) > 1:
        sibling = at ^ 1
        if sibling < len(level):  # an odd last node has none: it is carried up unchanged
            path.append(level[sibling])
        level, at = _parents(level), at >> 1
    return tuple(path)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], head: bytes) -> bool:
    """Whether the leaf hash stands at `index` in the tree of `size` leaves with root `head`.

    Source: RFC 9162, section 2.1.3.2 (the tree is that of RFC 6962).

    >>> hashes = [leaf_hash(bytes([i])) for i in range(7)]
    >>> verify_inclusion(hashes[5], 5, 7, inclusion_proof(hashes, 5), root(hashes))
    True
    >>> verify_inclusion(hashes[4], 5, 7, inclusion_proof(hashes, 5), root(hashes))
    False
    """
    if not 0 <= index < size:
        return False
    at, last, carry = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            carry = node_hash(sibling, carry)
            while not at & 1 and at:  # skip the levels where this node was carried up alone
                at, last = at >> 1, last >> 1
        else:
            carry = node_hash(carry, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and carry == head


def _parents(level: list[bytes]) -> list[bytes]:
    pairs = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
    if len(level) & 1:
        pairs.append(level[-1])
    return pairs
