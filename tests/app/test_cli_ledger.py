"""`flyball ledger` as its users meet it: words, documents and exit codes."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.app.said import Said, saying

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.ledger import checkpoint_path, ledger_of, open_ledger
from flyball.core.errors import LedgerBroken
from flyball.core.events import AnyFact, Frozen
from flyball.core.ids import ServiceName
from flyball.registry import chain


def fact(why: str) -> AnyFact:
    return Frozen(service=ServiceName("fraud"), by="ann", why=why)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A ledger of 40 entries."""
    made = Home(tmp_path / "home")
    monkeypatch.setenv("FLYBALL_HOME", str(made.root))
    with ledger_of(made) as ledger:
        for number in range(1, 41):
            ledger.append([fact(f"reason {number}")])
    return made


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    return saying(capfd, "ledger")


def change(home: Home, *statements: str) -> None:
    connection = sqlite3.connect(home.ledger)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_an_honest_ledger_verifies(home: Home, said: Said) -> None:
    code, document = said("verify")
    assert code == 0
    assert document["ok"] is True
    assert (document["events"], document["anchored_to"]) == (40, 40)
    assert (document["first_bad"], document["reason"]) == (None, None)
    assert [(head["size"], head["signed"], head["agrees"]) for head in document["heads"]] == [(40, True, True)]


@pytest.mark.parametrize(
    ("statements", "first_bad", "reason"),
    [
        (["UPDATE ledger SET event = replace(event, 'ann', 'amn') WHERE seq = 17"], 17, "was changed"),
        (["UPDATE ledger SET at = '2026-01-01T00:00:00.000000Z' WHERE seq = 1"], 1, "was changed"),
        (["DELETE FROM ledger WHERE seq = 23"], 23, "is missing"),
        (
            [
                "UPDATE ledger SET seq = 999 WHERE seq = 8",
                "UPDATE ledger SET seq = 8 WHERE seq = 30",
                "UPDATE ledger SET seq = 30 WHERE seq = 999",
            ],
            8,
            "was changed",
        ),
        (["DELETE FROM ledger WHERE seq > 33"], 34, "the end is missing"),
        (["DELETE FROM ledger"], 1, "the end is missing"),
    ],
)
def test_each_tampering_is_named_and_exits_1(
    home: Home, said: Said, statements: list[str], first_bad: int, reason: str
) -> None:
    change(home, *statements)
    code, document = said("verify")
    assert (code, document["ok"], document["first_bad"]) == (1, False, first_bad)
    assert reason in document["reason"]


def test_a_rewritten_ledger_is_found_by_the_checkpoint_kept_elsewhere(home: Home, tmp_path: Path, said: Said) -> None:
    kept = tmp_path / "elsewhere.checkpoint"
    code, document = said("export", "--to", str(tmp_path / "entries.jsonl"), "--checkpoint", str(kept))
    assert (code, document["entries"], document["checkpoint"]["size"]) == (0, 40, 40)
    rewritten = Home(tmp_path / "rewritten")
    with ledger_of(rewritten) as ledger:  # other key, other head, all in order with itself
        for number in range(1, 41):
            ledger.append([fact(f"reason {number}" if number < 29 else "forged")])
    assert said("verify", "--home", str(rewritten.root))[0] == 0
    key = str(home.keys / "signing.pub")
    code, document = said("verify", "--home", str(rewritten.root), "--checkpoint", str(kept), "--key", key)
    assert (code, document["ok"]) == (1, False)
    assert document["first_bad"] == 1  # the forger's times differ already
    assert [head["agrees"] for head in document["heads"]] == [True, False]


def test_a_tail_rewritten_in_place_is_named_exactly(home: Home, tmp_path: Path, said: Said) -> None:
    kept = tmp_path / "elsewhere"
    shutil.copy(checkpoint_path(home), kept)
    ledger = open_ledger(home)
    entries = list(ledger.read())
    ledger.close()
    tip = chain.EMPTY
    connection = sqlite3.connect(home.ledger)
    for entry in entries:
        row, tip = chain.seal(tip, entry.at, fact("forged") if entry.seq == 29 else entry.fact)
        values = (row.event, row.prev_hash, row.hash, row.seq)
        connection.execute("UPDATE ledger SET event = ?, prev_hash = ?, hash = ? WHERE seq = ?", values)
    connection.execute("UPDATE tip SET last_hash = ?, frontier = ?", (tip.last_hash, b"".join(tip.frontier)))
    connection.commit()
    connection.close()
    checkpoint_path(home).unlink()  # what lies beside can be removed; what lies elsewhere not
    assert said("verify")[0] == 0
    code, document = said("verify", "--checkpoint", str(kept))
    assert (code, document["first_bad"]) == (1, 29)


def test_a_changed_head_beside_the_ledger_is_a_finding(home: Home, said: Said) -> None:
    file = checkpoint_path(home)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(["flyball/other\n", *lines[1:]]))
    code, document = said("verify")
    assert (code, document["anchored_to"]) == (1, 0)
    assert "not signed by the expected key" in document["reason"]
    file.write_text("nonsense")
    code, document = said("verify")
    assert (code, document["first_bad"]) == (1, None)
    assert "not a checkpoint" in document["reason"]


@pytest.mark.parametrize("statement", ["DELETE FROM tip", "UPDATE tip SET size = 39", "UPDATE tip SET frontier = x''"])
def test_a_damaged_tip_is_a_finding_and_nobody_appends_behind_it(home: Home, said: Said, statement: str) -> None:
    change(home, statement)
    code, document = said("verify")
    assert (code, document["events"], document["anchored_to"]) == (1, 40, 40)
    assert "tip in the database is damaged" in document["reason"]
    ledger = open_ledger(home)
    with pytest.raises(LedgerBroken):
        ledger.append([fact("more")])
    ledger.close()


def test_an_index_that_hides_entries_is_found(home: Home, said: Said) -> None:
    change(
        home,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, '(subject, seq)', '(type, seq)') WHERE name = 'ledger_subject'",
    )
    code, document = said("verify")
    assert code == 1
    assert "index by service" in document["reason"]


def test_a_missing_ledger_is_bad_input_but_with_a_head_it_is_a_finding(home: Home, tmp_path: Path, said: Said) -> None:
    code, document = said("verify", "--home", str(tmp_path / "nowhere"))
    assert code == 2
    assert "there is no ledger" in document["error"]["message"]
    assert not (tmp_path / "nowhere").exists()
    home.ledger.unlink()
    code, document = said("verify")
    assert (code, document["first_bad"]) == (1, 1)
    assert "the ledger is missing" in document["reason"]


def test_faulty_checkpoints_and_keys_of_the_caller_are_bad_input(home: Home, tmp_path: Path, said: Said) -> None:
    (tmp_path / "junk").write_text("junk")
    assert said("verify", "--checkpoint", str(tmp_path / "junk"))[0] == 2
    assert said("verify", "--checkpoint", str(tmp_path / "nowhere"))[0] == 2
    assert said("verify", "--key", str(tmp_path / "junk"))[0] == 2


def test_verify_writes_nothing(home: Home) -> None:
    before = {path.name: path.read_bytes() for path in home.root.iterdir() if path.is_file()}
    assert run(["ledger", "verify"]) == 0
    after = {path.name: path.read_bytes() for path in home.root.iterdir() if path.is_file()}
    assert {name: data for name, data in after.items() if not name.endswith(("-wal", "-shm"))} == before


def test_verify_tells_people_what_is_not_anchored(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = open_ledger(home)  # without a recorder: nobody signs
    ledger.append([fact("late")])
    ledger.close()
    assert run(["ledger", "verify"]) == 0
    told = capsys.readouterr().out
    assert "the ledger verifies" in told
    assert "entries from 41 on are under no signed head" in told


def test_tail_shows_the_newest_entries(home: Home, said: Said, capfd: Any) -> None:
    code, document = said("tail", "--lines", "3")
    assert code == 0
    assert [(entry["seq"], entry["event"]["why"]) for entry in document["entries"]] == [
        (38, "reason 38"),
        (39, "reason 39"),
        (40, "reason 40"),
    ]
    assert run(["ledger", "tail", "-n", "1"]) == 0
    line = capfd.readouterr().out
    assert line.count("\n") == 1
    assert all(part in line for part in ("40", "fraud", "service.frozen", "by=ann", "why=reason 40"))


def test_tail_follows_until_it_is_interrupted(home: Home) -> None:
    order = [sys.executable, "-m", "flyball.app.cli", "ledger", "tail", "--follow", "--json", "--lines", "1"]
    follower = subprocess.Popen([*order, "--home", str(home.root)], stdout=subprocess.PIPE, text=True)
    assert follower.stdout is not None
    assert json.loads(follower.stdout.readline())["seq"] == 40
    with ledger_of(home) as ledger:
        ledger.append([fact("one more"), fact("and another")])
    assert [json.loads(follower.stdout.readline())["event"]["why"] for _ in range(2)] == ["one more", "and another"]
    follower.send_signal(signal.SIGINT)
    assert follower.wait() == 130


def test_export_writes_lines_or_one_document(home: Home, said: Said, capfd: Any) -> None:
    assert run(["ledger", "export"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, 41))
    assert set(lines[0]) == {"seq", "at", "type", "subject", "event", "prev_hash", "hash"}
    assert [line["prev_hash"] for line in lines] == [chain.GENESIS, *(line["hash"] for line in lines)][:40]
    code, document = said("export")
    assert code == 0
    assert document["entries"] == lines


def test_a_broken_ledger_is_not_signed_for_export(home: Home, tmp_path: Path, said: Said) -> None:
    change(home, "UPDATE tip SET last_hash = 'x', frontier = zeroblob(64)")
    code, document = said("export", "--checkpoint", str(tmp_path / "kept"))
    assert code == 1
    assert not (tmp_path / "kept").exists()
    assert "does not continue its signed head of 40 entries" in document["error"]["message"]
