"""A gateway's folder for sockets: gone with the gateway, and with the next start where it was killed."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.serving.parts import CHAMPION, routing
from tests.serving.stage import stage, until
from tests.serving.test_recycling import ALONE

from flyball.app.home import Home
from flyball.app.wiring.serving.short_folder import hold, short_folder

HOLDER = """
import sys
from pathlib import Path
from flyball.app.home import Home
from flyball.app.wiring.serving.short_folder import short_folder
with short_folder(Home(Path(sys.argv[1]))) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """With a folder for temporary files of its own."""
    (tmp_path / "t").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return Home(tmp_path / "home")


def killed(home: Home) -> Path:
    """The folder that a killed process leaves."""
    command = [sys.executable, "-c", HOLDER, str(home.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        holder.kill()
    assert folder.is_dir()
    return folder


def links(home: Home) -> list[str]:
    return sorted(path.name for path in (home.root / "run" / "folders").glob("flyball-*"))


def test_it_is_gone_at_the_end_and_what_is_in_use_stays(home: Home) -> None:
    with short_folder(home) as first:
        (first / "socket").touch()
        with short_folder(home) as second:
            assert (first / "socket").exists()
            assert links(home) == sorted((first.name, second.name))
    assert (first.exists(), second.exists(), links(home)) == (False, False, [])


def test_the_next_start_deletes_what_a_killed_one_left_and_no_other_homes(home: Home, tmp_path: Path) -> None:
    left, other = killed(home), killed(Home(tmp_path / "other"))
    (left / "w0").mkdir()
    (left / "w0" / "arm-1").touch()
    with short_folder(home) as mine:
        assert not left.exists()
        assert links(home) == [mine.name]
    assert other.exists()


def test_a_folder_that_a_worker_still_needs_waits_for_the_start_after_its_end(home: Home) -> None:
    left = killed(home)
    worker = hold(left)
    with short_folder(home):
        assert left.exists()
    os.close(worker)
    with short_folder(home):
        assert not left.exists()


def test_a_link_without_a_folder_and_a_folder_that_nobody_held_yet_are_swept(home: Home) -> None:
    left = killed(home)
    (left / "held").unlink()
    (home.root / "run" / "folders" / "flyball-nothing").symlink_to(left.parent / "flyball-nothing")
    with short_folder(home) as mine:
        assert links(home) == [mine.name]
    assert not left.exists()


def test_workers_that_outlive_their_supervisor_keep_the_folder_until_they_end(tmp_path: Path, home: Home) -> None:
    def folders() -> list[str]:
        return sorted(path.name for path in (tmp_path / "t").glob("flyball-*"))

    with stage(tmp_path, workers=2) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE))
        (first,) = folders()
        made.kill()
        made.start()  # the orphans answered until now
        assert first in folders()
        orphans = made.orphans
        until(lambda: not any(alive(pid) for pid in orphans), "the orphans have left")
        made.kill()
        for pid in made.orphans:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in made.orphans), "they are gone")
        made.start()
        (last,) = folders()
        assert last != first
        assert made.end() == 0
        assert folders() == []


def alive(pid: int) -> bool:
    """Whether it runs; one that has ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
