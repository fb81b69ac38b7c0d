"""RFC 6962: the published vectors, and the laws that every size must obey."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.merkle import (
    EMPTY_ROOT,
    Frontier,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_inclusion,
)

# the reference log of the certificate-transparency implementations, and its root at each size
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
sizes = st.integers(min_value=0, max_value=200)


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(size.to_bytes(4, "big") + bytes([i % 256])) for i in range(size)]


def split_root(hashes: list[bytes]) -> bytes:
    """The RFC's own recursion, to check the level-by-level form against."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(split_root(hashes[:k]), split_root(hashes[k:]))


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size: int) -> None:
    hashes = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES[:size]]
    assert root(hashes).hex() == ROOTS[size]
    assert Frontier.empty().extend(hashes).root().hex() == ROOTS[size]


def test_the_published_path_of_leaf_5_in_a_log_of_8() -> None:
    hashes = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]
    assert [step.hex()[:8] for step in inclusion_proof(hashes, 5)] == ["bc1a0643", "ca854ea1", "d37ee418"]


@given(sizes)
def test_all_ways_to_a_root_agree(size: int) -> None:
    hashes = leaves(size)
    one_by_one = Frontier.empty()
    for leaf in hashes:
        one_by_one = one_by_one.append(leaf)
    assert root(hashes) == split_root(hashes) == one_by_one.root()
    assert one_by_one == Frontier.empty().extend(hashes)


@given(sizes, sizes)
def test_a_frontier_may_be_extended_in_any_two_steps(first: int, second: int) -> None:
    hashes = leaves(first + second)
    assert Frontier.empty().extend(hashes[:first]).extend(hashes[first:]) == Frontier.empty().extend(hashes)


@given(sizes)
def test_the_hashes_of_a_frontier_are_the_roots_of_its_spans(size: int) -> None:
    hashes, frontier = leaves(size), Frontier.empty().extend(leaves(size))
    assert frontier.hashes == tuple(root(hashes[start:end]) for start, end in frontier.spans())
    assert [0, *(end for _, end in frontier.spans())] == [*(start for start, _ in frontier.spans()), size]


@given(st.integers(1, 120), st.data())
def test_a_proof_holds_for_its_leaf_its_place_and_its_head_only(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    head, proof = root(hashes), inclusion_proof(hashes, index)
    assert verify_inclusion(hashes[index], index, size, proof, head)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, head)
    assert not verify_inclusion(hashes[index], index, size, (*proof, head), head)
    assert not verify_inclusion(hashes[index], index, size, proof, EMPTY_ROOT)
    for elsewhere in {0, size - 1, (index + 1) % size} - {index}:
        assert not verify_inclusion(hashes[index], elsewhere, size, proof, head)


def test_a_leaf_cannot_pass_for_a_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()


def test_there_is_no_proof_for_a_leaf_beyond_the_log() -> None:
    with pytest.raises(IndexError, match="leaf 3 is not in a tree of 3"):
        inclusion_proof(leaves(3), 3)


def test_a_frontier_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="a frontier of 3 leaves has 2 hashes, not 0"):
        Frontier(size=3, hashes=())
