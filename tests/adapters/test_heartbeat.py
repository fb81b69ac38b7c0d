"""The heartbeat is there whole or not at all, and what is none of ours is said."""

from pathlib import Path

import pytest

from flyball.adapters.heartbeat import Beat, read_beat, write_beat
from flyball.core.errors import Unavailable


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    path = tmp_path / "controller.json"
    assert read_beat(path) is None
    for at in (1.0, 2.0):
        beat = Beat(owner="one", at=at, kept={"fraud": at})
        write_beat(path, beat)
        assert read_beat(path) == beat
    assert [file.name for file in tmp_path.iterdir()] == ["controller.json"]


def test_a_file_that_is_no_heartbeat_is_said(tmp_path: Path) -> None:
    path = tmp_path / "controller.json"
    path.write_text("{}")
    with pytest.raises(Unavailable, match="cannot be read"):
        read_beat(path)
