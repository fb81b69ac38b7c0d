"""A backup of a home in use: of one moment, whole or none, and back again byte for byte."""

import shutil
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.control.world import NAME, first_champion, service

from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.asking.looking import looked
from flyball.app.wiring.backup import manifest
from flyball.app.wiring.backup.backup import backup
from flyball.app.wiring.backup.on_record import newest_whole
from flyball.app.wiring.backup.restore import restore
from flyball.app.wiring.ledger import audit, ledger_of, open_ledger
from flyball.app.wiring.stores.sweep_lock import alone
from flyball.core import events as e
from flyball.core.errors import BadInput, Conflict, NotFound
from flyball.core.ids import ServiceName
from flyball.core.service import Review, Service

FROZEN = e.Frozen(service=NAME, by="ada", why="maintenance")
THAWED = e.Thawed(service=NAME, by="ada", why="done")
TURNS: list[e.AnyFact] = [FROZEN, THAWED]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A ledger with its signed head, a release, segments of a log, and what a backup leaves out."""
    made = Home(tmp_path / "home")
    with ledger_of(made) as ledger:
        ledger.append(first_champion())
    for name in ("releases/ab/model.bin", "telemetry/fraud/1.rows", "cache/x", "run/gateway.pid", "gateway/fraud/lock"):
        (made.root / name).parent.mkdir(parents=True, exist_ok=True)
        (made.root / name).write_bytes(name.encode())
    return made


def test_what_was_laid_aside_is_back_and_verifies(home: Home, tmp_path: Path) -> None:
    made = backup(home, tmp_path / "aside")
    back = restore(tmp_path / "aside", Home(tmp_path / "back"))
    assert (back.differences, back.verified, back.entries) == ((), True, made.entries)
    assert (tmp_path / "back/releases/ab/model.bin").read_bytes() == b"releases/ab/model.bin"
    assert (tmp_path / "back/telemetry/fraud/1.rows").exists()
    assert not any((tmp_path / "back" / name).exists() for name in ("cache", "run", "gateway/fraud/lock"))
    with closing(open_ledger(Home(tmp_path / "back"))) as ledger, closing(open_ledger(home)) as before:
        assert [entry.hash for entry in ledger.read()] == [entry.hash for entry in before.read()][: made.entries]


def backups_of(home: Home) -> tuple[e.BackupMade, ...]:
    with closing(open_ledger(home)) as ledger:
        return tuple(entry.fact for entry in ledger.read() if isinstance(entry.fact, e.BackupMade))


def test_each_service_says_that_it_was_laid_aside_once_the_backup_is_whole(home: Home, tmp_path: Path) -> None:
    made = backup(home, tmp_path / "aside")
    (fact,) = backups_of(home)
    told = (fact.service, fact.folder, fact.entries, fact.newest_at, fact.size)
    assert told == (NAME, str(tmp_path / "aside"), made.entries, made.newest_at, made.size)
    assert audit(home).ok
    backup(home, tmp_path / "passing", on_record=False)
    assert len(backups_of(home)) == 1


def test_a_home_with_two_services_is_laid_aside_and_each_says_so(home: Home, tmp_path: Path) -> None:
    with ledger_of(home) as ledger:
        declared, *_ = first_champion()
        ledger.append([replace(declared, service=ServiceName("shop"))])
    made = backup(home, tmp_path / "aside")
    assert [(fact.service, fact.entries) for fact in backups_of(home)] == [(NAME, made.entries), ("shop", made.entries)]


def test_the_checklist_reads_whether_the_backup_is_whole_and_how_old_it_is(home: Home, tmp_path: Path) -> None:
    def looked_at(days: float, declared: Service) -> tuple[bool | None, str]:
        with closing(open_ledger(home)) as ledger:
            state = states_of(ledger)[NAME]
        found = looked(home, declared, state, time.time() + days * 86_400).backup
        return found.ok, found.why

    daily = replace(service(), review=Review(backup_every_s=86_400.0))
    assert looked_at(0, service()) == (False, "no backup on record is whole")
    backup(home, tmp_path / "first")
    assert looked_at(2, service()) == (True, f"{tmp_path / 'first'} is whole and 2.0 days old")
    assert looked_at(2, daily) == (False, f"{tmp_path / 'first'} is whole and 2.0 days old: 1 at most")
    assert looked_at(8, service())[0] is False
    backup(home, tmp_path / "second")
    shutil.rmtree(tmp_path / "second")
    ok, why = looked_at(0, daily)
    assert (ok, why.endswith(f"; {tmp_path / 'second'} is no whole backup any more")) == (True, True)


def test_a_backup_that_is_killed_before_its_list_is_on_no_record(home: Home, tmp_path: Path) -> None:
    def killed(name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(home, tmp_path / "aside", on_file=killed)
    assert backups_of(home) == ()


def test_the_newest_backup_that_is_still_as_it_was_counts_and_the_others_are_named(home: Home, tmp_path: Path) -> None:
    for name in ("first", "second", "third", "fourth"):
        backup(home, tmp_path / name)
    made = backups_of(home)
    assert newest_whole(made) == (made[3], ())
    shutil.rmtree(tmp_path / "fourth")
    (tmp_path / "third/releases/ab/model.bin").write_bytes(b"rotten")
    shutil.rmtree(tmp_path / "second")
    backup(home, tmp_path / "second", on_record=False)  # somebody laid another one there
    found, wrong = newest_whole(made)
    assert found == made[0]
    assert [each.removeprefix(f"{tmp_path}/") for each in wrong] == [
        "fourth is no whole backup any more",
        "third: releases/ab/model.bin is another file than was laid aside",
        f"second holds another backup than the one of {made[1].made_at}",
    ]
    assert newest_whole(()) == (None, ())


def test_a_ledger_that_is_written_meanwhile_is_copied_as_of_one_moment(home: Home, tmp_path: Path) -> None:
    with ledger_of(home) as ledger:
        facts = iter(TURNS * 50)

        def written(_: str) -> None:
            ledger.append([next(facts)])

        made = backup(home, tmp_path / "aside", on_file=written)
        ledger.append([next(facts)])
        assert ledger.head().size > made.entries
    back = restore(tmp_path / "aside", Home(tmp_path / "back"))
    assert (back.differences, back.entries) == ((), made.entries)
    assert audit(Home(tmp_path / "back")).ok


def test_a_file_that_is_another_or_gone_is_told_by_its_name(home: Home, tmp_path: Path) -> None:
    backup(home, tmp_path / "aside")
    (tmp_path / "aside/releases/ab/model.bin").write_bytes(b"rotten")
    (tmp_path / "aside/telemetry/fraud/1.rows").unlink()
    found = restore(tmp_path / "aside", Home(tmp_path / "back")).differences
    assert set(found) == {
        "releases/ab/model.bin is another file than was laid aside",
        "telemetry/fraud/1.rows is gone",
    }


def test_a_rewritten_ledger_is_a_difference(home: Home, tmp_path: Path) -> None:
    backup(home, tmp_path / "aside")
    shutil.copy(tmp_path / "aside/ledger.db", tmp_path / "copy.db")
    other = Home(tmp_path / "other")
    with closing(open_ledger(other)) as ledger:
        ledger.append([FROZEN])
    with closing(open_ledger(other)):
        shutil.copy(other.ledger, tmp_path / "aside/ledger.db")
    found = restore(tmp_path / "aside", Home(tmp_path / "back"))
    assert not found.verified
    assert any("does not verify" in each for each in found.differences)


def test_a_backup_that_was_killed_is_none(home: Home, tmp_path: Path) -> None:
    backup(home, tmp_path / "aside")
    (tmp_path / "aside" / manifest.NAME).unlink()  # it is written last
    with pytest.raises(BadInput, match="no backup that came to its end"):
        restore(tmp_path / "aside", Home(tmp_path / "back"))
    assert not (tmp_path / "back").exists()


def test_a_restoration_that_was_killed_leaves_no_ledger_to_be_served_from(home: Home, tmp_path: Path) -> None:
    backup(home, tmp_path / "aside")
    back = Home(tmp_path / "back")

    def killed(name: str) -> None:
        if name == "ledger.db":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path / "aside", back, on_file=killed)
    assert not back.has_ledger
    with pytest.raises(BadInput, match="a home of its own"):
        restore(tmp_path / "aside", back)


def test_a_backup_of_a_newer_flyball_is_refused(home: Home, tmp_path: Path) -> None:
    backup(home, tmp_path / "aside")
    found = manifest.read(tmp_path / "aside")
    newer = msgspec.json.encode(msgspec.structs.replace(found, format=2))
    (tmp_path / "aside" / manifest.NAME).write_bytes(newer)
    with pytest.raises(BadInput, match="another Flyball"):
        restore(tmp_path / "aside", Home(tmp_path / "back"))


def test_nothing_is_laid_aside_into_a_folder_in_use_or_during_a_sweep_or_without_a_ledger(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(BadInput, match="folder of its own"):
        backup(home, tmp_path / "full")
    with alone(home), pytest.raises(Conflict):
        backup(home, tmp_path / "aside")
    with pytest.raises(NotFound, match="no ledger"):
        backup(Home(tmp_path / "nowhere"), tmp_path / "aside")
