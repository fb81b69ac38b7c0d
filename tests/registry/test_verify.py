"""Each kind of tampering has a name and a first bad entry; the pure half, with rows made by hand."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.content.keys import SigningKey, signing_key
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.core.ledger import Tip
from flyball.registry.chain import EMPTY, seal
from flyball.registry.checkpoint import parse, sign
from flyball.registry.verify import FoundHead, Row, Verification, verify
from flyball.stats.merkle import Frontier

AT = "2026-11-21T10:00:00.000000Z"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return signing_key(tmp_path_factory.mktemp("keys"))


def ledger(size: int, *, differs: Callable[[int], bool] = lambda _: False) -> tuple[list[Row], list[Tip]]:
    """Rows and the tip after each; entries of which `differs` is true tell another story, correctly chained."""
    rows: list[Row] = []
    tips = [EMPTY]
    for seq in range(1, size + 1):
        why = f"{seq} forged" if differs(seq) else str(seq)
        row, tip = seal(tips[-1], AT, Frozen(service=ServiceName("fraud"), by="ann", why=why))
        texts = (row.at, row.type, row.subject, row.event, row.prev_hash, row.hash)
        at, kind, subject, event, prev_hash, hash_ = (text.encode() for text in texts)
        rows.append((seq, at, kind, subject, event, prev_hash, hash_))
        tips.append(tip)
    return rows, tips


def head(key: SigningKey, rows: list[Row], tip: Tip, *, newest: int = 0, source: str = "kept") -> FoundHead:
    leaves = [bytes.fromhex(row[6].decode()) for row in rows[max(0, tip.size - newest) : tip.size]]
    text = sign(Frontier(size=tip.size, hashes=tip.frontier), key, leaves=leaves)
    return FoundHead(source, parse(text, where=source), signed=True)


def judge(rows: list[Row], tip: Tip, *heads: FoundHead) -> Verification:
    return verify(rows, len(rows), tip, heads)


@given(size=st.integers(0, 70), kept=st.integers(0, 70), newest=st.integers(0, 9))
def test_an_honest_ledger_verifies_against_each_head_it_ever_had(
    key: SigningKey, size: int, kept: int, newest: int
) -> None:
    rows, tips = ledger(size)
    verdict = judge(rows, tips[-1], head(key, rows, tips[min(kept, size)], newest=newest))
    assert verdict.ok, verdict.reason
    assert (verdict.events, verdict.anchored_to) == (size, min(kept, size))
    assert verdict.root == Frontier(size=size, hashes=tips[-1].frontier).root().hex()


@given(data=st.data(), size=st.integers(1, 30))
def test_a_changed_byte_names_its_entry(data: st.DataObject, size: int) -> None:
    rows, tips = ledger(size)
    seq, column = data.draw(st.integers(1, size)), data.draw(st.integers(1, 6))
    row = list(rows[seq - 1])
    old = row[column]
    assert isinstance(old, bytes)
    place = data.draw(st.integers(0, len(old) - 1))
    row[column] = old[:place] + bytes([old[place] ^ data.draw(st.integers(1, 255))]) + old[place + 1 :]
    rows[seq - 1] = (seq, *row[1:])  # type: ignore[assignment]  # the same shape, one byte apart
    verdict = judge(rows, tips[-1])
    assert not verdict.ok
    assert verdict.first_bad == seq


@given(data=st.data(), size=st.integers(2, 30))
def test_a_removed_event_names_its_number(data: st.DataObject, size: int) -> None:
    rows, tips = ledger(size)
    seq = data.draw(st.integers(1, size))
    verdict = judge(rows[: seq - 1] + rows[seq:], tips[-1])
    assert (verdict.ok, verdict.first_bad) == (False, seq)
    assert "missing" in str(verdict.reason)


@given(data=st.data(), size=st.integers(2, 30))
def test_swapped_events_name_the_first_of_them(data: st.DataObject, size: int) -> None:
    rows, tips = ledger(size)
    first, second = sorted(data.draw(st.sets(st.integers(1, size), min_size=2, max_size=2)))
    one, other = rows[first - 1], rows[second - 1]
    rows[first - 1], rows[second - 1] = (first, *other[1:]), (second, *one[1:])
    assert judge(rows, tips[-1]).first_bad == first


@given(data=st.data(), size=st.integers(2, 30))
def test_a_cut_tail_names_the_first_that_is_gone(key: SigningKey, data: st.DataObject, size: int) -> None:
    rows, tips = ledger(size)
    left = data.draw(st.integers(0, size - 1))
    by_head = judge(rows[:left], tips[left], head(key, rows, tips[size]))  # the cutter repaired the tip
    by_tip = judge(rows[:left], tips[size])
    assert by_head.first_bad == by_tip.first_bad == left + 1
    assert by_head.heads[0].agrees is False


@given(data=st.data(), size=st.integers(2, 60))
def test_a_rewritten_chain_is_found_by_a_head_kept_elsewhere(key: SigningKey, data: st.DataObject, size: int) -> None:
    honest, tips = ledger(size)
    first = data.draw(st.integers(1, size))
    rows, forged = ledger(size, differs=lambda seq: seq == first)  # every hash behind it made anew, and the tip
    assert judge(rows, forged[-1]).ok  # nothing inside tells
    verdict = judge(rows, forged[-1], head(key, honest, tips[size]))
    assert not verdict.ok
    assert verdict.first_bad is not None
    assert verdict.first_bad <= first <= (verdict.last_bad or verdict.first_bad)


def test_among_the_newest_entries_the_rewritten_one_is_named_exactly(key: SigningKey) -> None:
    honest, tips = ledger(1000)
    rows, forged = ledger(1000, differs=lambda seq: seq >= 900)
    verdict = judge(rows, forged[-1], head(key, honest, tips[1000], newest=256))
    assert (verdict.first_bad, verdict.last_bad) == (900, None)


def test_two_heads_close_in_on_the_rewritten_range(key: SigningKey) -> None:
    honest, tips = ledger(1000)
    rows, forged = ledger(1000, differs=lambda seq: seq >= 700)
    early, late = head(key, honest, tips[640], source="early"), head(key, honest, tips[1000], source="late")
    alone = judge(rows, forged[-1], late)
    assert (alone.first_bad, alone.last_bad) == (513, 768)
    both = judge(rows, forged[-1], early, late)
    assert (both.first_bad, both.last_bad, both.anchored_to) == (641, 768, 640)
    assert [each.agrees for each in both.heads] == [True, False]


def test_an_entry_made_anew_with_its_hash_is_told_from_the_one_behind_it() -> None:
    honest, tips = ledger(9)
    forged, _ = ledger(9, differs=lambda seq: seq == 5)
    rows = [*honest[:4], forged[4], *honest[5:]]
    assert judge(rows, tips[-1]).first_bad == 5
    assert judge([*honest[:8], forged[8]], tips[-1]).first_bad == 9


def test_entries_that_others_put_behind_the_tip_are_named() -> None:
    rows, tips = ledger(9)
    assert judge(rows, tips[7]).first_bad == 8


def test_a_head_that_nobody_known_signed_proves_nothing(key: SigningKey) -> None:
    rows, tips = ledger(5)
    unsigned = FoundHead("kept", head(key, rows, tips[5]).checkpoint, signed=False)
    verdict = judge(rows, tips[-1], unsigned)
    assert (verdict.ok, verdict.anchored_to) == (False, 0)
    assert "not signed" in str(verdict.reason)


def test_entries_behind_the_newest_head_are_said_to_be_unanchored(key: SigningKey) -> None:
    rows, tips = ledger(20)
    assert judge(rows, tips[-1]).anchored_to == 0
    verdict = judge(rows, tips[-1], head(key, rows, tips[12]), head(key, rows, tips[7], source="older"))
    assert (verdict.ok, verdict.events, verdict.anchored_to) == (True, 20, 12)


def test_a_head_without_a_frontier_still_tells_a_rewritten_chain(key: SigningKey) -> None:
    honest, tips = ledger(20)
    text = sign(Frontier(size=20, hashes=tips[20].frontier), key)
    bare = "\n".join(line for line in text.split("\n") if not line.startswith("frontier "))
    kept = FoundHead("foreign", parse(bare, where="foreign"), signed=True)
    assert judge(honest, tips[-1], kept).ok
    rows, forged = ledger(20, differs=lambda seq: seq == 13)
    verdict = judge(rows, forged[-1], kept)
    assert (verdict.first_bad, verdict.last_bad) == (1, 20)


def test_a_forged_head_beside_the_ledger_does_not_vouch_against_one_kept_elsewhere(key: SigningKey) -> None:
    honest, tips = ledger(100)
    rows, forged = ledger(100, differs=lambda seq: seq >= 20)
    signed_anew = head(key, rows, forged[100], source="beside")  # whoever rewrote the ledger had the key too
    verdict = judge(rows, forged[-1], signed_anew, head(key, honest, tips[100]))
    assert (verdict.ok, verdict.first_bad, verdict.last_bad) == (False, 1, 64)
    assert "kept" in str(verdict.reason)
