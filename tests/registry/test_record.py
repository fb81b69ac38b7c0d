"""The signed head beside the ledger: there in time, only growing, never over a rewritten history."""

import logging
import os
import sqlite3
from pathlib import Path

import pytest

from flyball.adapters.content.keys import SigningKey, signing_key
from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.home import Home
from flyball.app.wiring.ledger import audit, ledger_of, open_ledger
from flyball.core.errors import LedgerBroken
from flyball.core.events import Frozen
from flyball.core.ids import ServiceName
from flyball.registry import chain
from flyball.registry.record import Recorder, read_checkpoint, replace_file, write_checkpoint


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return signing_key(tmp_path / "keys")


def fact(why: str) -> Frozen:
    return Frozen(service=ServiceName("fraud"), by="ann", why=why)


def in_memory() -> MemoryLedger:
    return MemoryLedger(sealer=chain, clock=SimulatedClock())


def test_at_a_clean_exit_the_last_head_is_signed(tmp_path: Path, key: SigningKey) -> None:
    file = tmp_path / "ledger.db.checkpoint"
    with Recorder(in_memory(), key, file) as ledger:
        for number in range(300):
            ledger.append([fact(str(number))])
        head = ledger.head()
    signed = read_checkpoint(file)
    assert signed is not None
    assert (signed.size, signed.root.hex(), len(signed.leaves)) == (300, head.root, 256)
    assert signed.is_signed_by(key.public)


def test_while_it_runs_the_head_is_signed_without_being_asked(tmp_path: Path, key: SigningKey) -> None:
    file = tmp_path / "ledger.db.checkpoint"
    with Recorder(in_memory(), key, file) as ledger:
        ledger.append([fact("one")])
        while (signed := read_checkpoint(file)) is None:  # it comes, or this test never ends
            os.sched_yield()
        assert signed.size == 1


def test_an_empty_ledger_has_no_head_and_closing_twice_is_harmless(tmp_path: Path, key: SigningKey) -> None:
    ledger = Recorder(in_memory(), key, tmp_path / "checkpoint")
    ledger.close()
    ledger.close()
    assert read_checkpoint(tmp_path / "checkpoint") is None


def test_a_smaller_head_never_replaces_a_larger_one(tmp_path: Path, key: SigningKey) -> None:
    file, long, short = tmp_path / "checkpoint", in_memory(), in_memory()
    for number in range(5):
        long.append([fact(str(number))])
        if number < 3:
            short.append([fact(str(number))])
    write_checkpoint(long, key, file)
    kept = file.read_text()
    with pytest.raises(LedgerBroken, match="has 3 entries, its signed head 5"):
        write_checkpoint(short, key, file)
    write_checkpoint(long, key, file)  # nothing new: nothing is written
    assert file.read_text() == kept


def test_a_rewritten_history_is_never_signed_over(tmp_path: Path, key: SigningKey) -> None:
    file, honest, forged = tmp_path / "checkpoint", in_memory(), in_memory()
    honest.append([fact("what happened")])
    write_checkpoint(honest, key, file)
    kept = file.read_text()
    forged.append([fact("another story")])
    forged.append([fact("goes on")])
    with pytest.raises(LedgerBroken, match="does not continue its signed head of 1"):
        write_checkpoint(forged, key, file)
    assert file.read_text() == kept


def test_a_head_that_somebody_else_signed_is_not_continued(tmp_path: Path, key: SigningKey) -> None:
    file, ledger = tmp_path / "checkpoint", in_memory()
    ledger.append([fact("one")])
    write_checkpoint(ledger, signing_key(tmp_path / "other"), file)
    ledger.append([fact("two")])
    with pytest.raises(LedgerBroken, match="not signed by this home's key"):
        write_checkpoint(ledger, key, file)


def test_facts_are_recorded_also_where_the_head_cannot_be_signed(
    tmp_path: Path, key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = in_memory()
    with caplog.at_level(logging.WARNING), Recorder(ledger, key, tmp_path / "missing" / "checkpoint") as recorder:
        assert recorder.append([fact("one")])[0].seq == 1
    assert "could not be signed" in caplog.text
    assert ledger.head().size == 1


def test_whoever_appends_after_a_rewrite_leaves_the_proof_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home(tmp_path / "home")
    with ledger_of(home) as ledger:
        ledger.append([fact(str(number)) for number in range(9)])
    rewrite(home, 4)
    assert audit(home).first_bad == 4
    with caplog.at_level(logging.WARNING), ledger_of(home) as ledger:
        ledger.append([fact("an honest process goes on")])
    assert "does not continue its signed head" in caplog.text
    verdict = audit(home)
    assert (verdict.ok, verdict.first_bad) == (False, 4)


def rewrite(home: Home, first: int) -> None:
    """What someone with all rights on the machine but the key would do: tell another story from `first` on."""
    ledger = open_ledger(home)
    entries = list(ledger.read())
    ledger.close()
    tip = chain.EMPTY
    connection = sqlite3.connect(home.ledger)
    for entry in entries:
        told = fact("forged") if entry.seq >= first else entry.fact
        row, tip = chain.seal(tip, entry.at, told)
        connection.execute(
            "UPDATE ledger SET event = ?, prev_hash = ?, hash = ? WHERE seq = ?",
            (row.event, row.prev_hash, row.hash, row.seq),
        )
    connection.execute("UPDATE tip SET last_hash = ?, frontier = ?", (tip.last_hash, b"".join(tip.frontier)))
    connection.commit()
    connection.close()


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "head"
    replace_file(file, "one")
    replace_file(file, "two")
    assert file.read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["head"]
