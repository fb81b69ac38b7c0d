"""Signed heads as text."""

from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.content.keys import SigningKey, signing_key
from flyball.core.errors import BadInput
from flyball.registry.checkpoint import parse, sign
from flyball.stats.merkle import Frontier, leaf_hash


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return signing_key(tmp_path_factory.mktemp("keys"))


def frontier_of(size: int) -> Frontier:
    return Frontier.empty().extend(leaf_hash(str(number).encode()) for number in range(size))


@given(size=st.integers(0, 300), newest=st.integers(0, 20))
def test_what_is_signed_is_read_back(key: SigningKey, size: int, newest: int) -> None:
    frontier, leaves = frontier_of(size), [leaf_hash(bytes([n])) for n in range(min(newest, size))]
    read = parse(sign(frontier, key, leaves=leaves), where="here")
    assert (read.origin, read.size, read.root) == ("flyball/ledger", size, frontier.root())
    assert (read.frontier, read.leaves) == (frontier.hashes, tuple(leaves))
    assert read.is_signed_by(key.public)


def test_the_form_is_a_signed_note(key: SigningKey) -> None:
    lines = sign(frontier_of(6), key).split("\n")
    assert lines[:3] == ["flyball/ledger", "6", b64encode(frontier_of(6).root()).decode()]
    assert [line.split(" ")[0] for line in lines[3:5]] == ["frontier", "frontier"]
    assert lines[5] == ""
    assert lines[6].startswith("— flyball/ledger ")
    assert lines[7:] == [""]


@given(data=st.data())
def test_no_byte_of_a_head_can_be_changed(key: SigningKey, data: st.DataObject) -> None:
    signed = sign(frontier_of(5), key)
    body = signed.index("\n\n") + 1
    place = data.draw(st.integers(0, body - 1))
    other = data.draw(st.sampled_from("0a+\n ").filter(lambda letter: letter != signed[place]))
    try:
        read = parse(signed[:place] + other + signed[place + 1 :], where="here")
    except BadInput:
        return
    assert not read.is_signed_by(key.public)


def test_another_key_has_not_signed_it(key: SigningKey, tmp_path: Path) -> None:
    other = signing_key(tmp_path)
    assert not parse(sign(frontier_of(3), key), where="here").is_signed_by(other.public)


def test_signatures_of_others_are_passed_over(key: SigningKey, tmp_path: Path) -> None:
    witness = sign(frontier_of(3), signing_key(tmp_path)).rsplit("— ", 1)[1]
    both = sign(frontier_of(3), key) + "— " + witness + "— strange %%%\n"
    read = parse(both, where="here")
    assert read.is_signed_by(key.public)
    assert len(read.signatures) == 2


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "file"),
        ("origin\nmany\nAAAA\n\n", "file"),
        ("origin\n1\nAAAA\n\n", "line 3"),
        (f"origin\n0\n{b64encode(bytes(32)).decode()}\nleaf {b64encode(bytes(32)).decode()}\n\n", "leaf"),
        (f"origin\n3\n{b64encode(bytes(32)).decode()}\nfrontier {b64encode(bytes(32)).decode()}\n\n", "frontier"),
        (f"origin\n1\n{b64encode(b'x' * 32).decode()}\nfrontier {b64encode(bytes(32)).decode()}\n\n", "frontier"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_its_place(text: str, path: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text, where="elsewhere.txt")
    assert [(fault.where, fault.path) for fault in caught.value.faults] == [("elsewhere.txt", path)]
