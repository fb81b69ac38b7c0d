"""One number is the chain's link and the tree's leaf."""

import json
from hashlib import sha256

import msgspec
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.events import AnyFact, Frozen, ServiceDeclared
from flyball.core.ids import Digest, ServiceName
from flyball.core.ledger import Sealed, Tip
from flyball.registry.chain import EMPTY, GENESIS, entry_bytes, export_line, kind_of, root, seal
from flyball.stats import merkle

AT = "2026-11-21T10:00:00.000000Z"
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
facts = st.builds(Frozen, service=text.map(ServiceName), by=text, why=text)


def sealed(chosen: list[AnyFact]) -> tuple[list[Sealed], list[Tip]]:
    rows, tips = [], [EMPTY]
    for fact in chosen:
        row, tip = seal(tips[-1], AT, fact)
        rows.append(row)
        tips.append(tip)
    return rows, tips


@given(facts, st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_what_is_hashed_is_the_canonical_json_of_the_six_fields(fact: Frozen, at: str) -> None:
    row, _ = seal(EMPTY, at, fact)
    fields = msgspec.structs.asdict(row) | {"event": json.loads(row.event)}
    fields.pop("hash")
    assert row.hash == sha256(b"\0" + rfc8785.dumps(fields)).hexdigest()


@given(st.lists(facts, max_size=20))
def test_the_chain_and_the_tree_stand_on_the_same_hashes(chosen: list[Frozen]) -> None:
    rows, tips = sealed(list(chosen))
    assert [row.prev_hash for row in rows] == [GENESIS, *(row.hash for row in rows)][: len(rows)]
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    for size, tip in enumerate(tips):
        assert tip.size == size
        assert root(tip) == merkle.root([bytes.fromhex(row.hash) for row in rows[:size]]).hex()


def test_the_type_of_an_entry_is_the_type_inside_its_event() -> None:
    fact = ServiceDeclared(service=ServiceName("fraud"), policy=Digest("sha256:0"), declaration={"b": 1.0}, folder="f")
    row, _ = seal(EMPTY, AT, fact)
    assert row.type == kind_of(fact) == json.loads(row.event)["type"] == "service.declared"
    assert row.event.startswith('{"declaration":{"b":1}')


def test_an_exported_line_carries_its_own_proof() -> None:
    row, _ = seal(EMPTY, AT, Frozen(service=ServiceName("fraud"), by="ann", why='say "é"'))
    texts = [each.encode() for each in (row.at, row.type, row.subject, row.event, row.prev_hash, row.hash)]
    line = json.loads(export_line(row.seq, *texts))
    claimed = line.pop("hash")
    assert sha256(b"\0" + rfc8785.dumps(line)).hexdigest() == claimed


def test_a_quote_cannot_move_the_border_between_two_fields() -> None:
    assert entry_bytes(b'a","event":{}', b"{}", b"0", 1, b"s", b"t") != entry_bytes(b"a", b"{}", b"0", 1, b"s", b"t")
    assert json.loads(entry_bytes(b'a","event":1', b"{}", b"0", 1, b"s", b"t"))["at"] == 'a","event":1'
