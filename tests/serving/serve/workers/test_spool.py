"""What is left on disk by name is whole, or it is what was there before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flyball.serving.serve.workers.spool import write_whole

SHORT = """
import resource, sys
from pathlib import Path
from flyball.serving.serve.workers.spool import write_whole

resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))  # the kernel takes ten bytes of a write and refuses the next
try:
    write_whole(Path(sys.argv[1]), b"x" * 100)
except OSError:
    sys.exit(7)
"""


def test_a_write_that_is_cut_short_never_takes_the_place_of_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "routing.json"
    write_whole(path, b"whole")
    code = subprocess.run([sys.executable, "-c", SHORT, str(path)], check=False).returncode
    assert (code, path.read_bytes()) == (7, b"whole")
    assert list(tmp_path.iterdir()) == [path]
    write_whole(path, b"y" * 100_000)
    assert path.read_bytes() == b"y" * 100_000


def test_two_workers_that_leave_the_same_fact_at_once_do_not_meet_in_its_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "fact.json", os.fsync

    def another_comes(file: int) -> None:
        """While the first one waits for the disk."""
        monkeypatch.setattr(os, "fsync", synced)
        with monkeypatch.context() as other:
            other.setattr(os, "getpid", lambda: 1)
            write_whole(path, b"longer than the first")
        synced(file)

    monkeypatch.setattr(os, "fsync", another_comes)
    write_whole(path, b"first")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
