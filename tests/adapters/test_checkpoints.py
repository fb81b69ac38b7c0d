"""A checkpoint is what this home wrote, whole; anything else is none."""

from pathlib import Path

import pytest

from flyball.adapters.checkpoints import FileCheckpoints
from flyball.core.errors import Unavailable

SECRET = b"of this home"


def test_what_was_saved_last_comes_back_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "monitor" / "small.checkpoint"
    FileCheckpoints(file, SECRET).save(b"one")
    FileCheckpoints(file, SECRET).save(b"two")
    assert FileCheckpoints(file, SECRET).load() == b"two"
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("place", [0, 31, 32, -1])
def test_one_changed_byte_anywhere_makes_it_none(tmp_path: Path, place: int) -> None:
    file = tmp_path / "one"
    FileCheckpoints(file, SECRET).save(b"what the monitor knows")
    damaged = bytearray(file.read_bytes())
    damaged[place] ^= 1
    file.write_bytes(damaged)
    assert FileCheckpoints(file, SECRET).load() is None


def test_of_another_home_cut_off_or_not_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "one"
    FileCheckpoints(file, SECRET).save(b"what the monitor knows")
    assert FileCheckpoints(file, b"of another home").load() is None
    file.write_bytes(file.read_bytes()[:40])
    assert FileCheckpoints(file, SECRET).load() is None
    file.write_bytes(b"")
    assert FileCheckpoints(file, SECRET).load() is None
    file.unlink()
    assert FileCheckpoints(file, SECRET).load() is None


def test_a_disk_that_takes_nothing_leaves_the_one_before(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(Unavailable):
        FileCheckpoints(blocked / "one", SECRET).save(b"two")
