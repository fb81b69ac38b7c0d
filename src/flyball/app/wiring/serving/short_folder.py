"""The folder of a gateway's sockets, and the end of those that killed gateways of the same home left behind.

It lies where the system has temporary files, since the path of a socket has 108 bytes and a home may lie deep. Whoever
uses it, the supervisor and each of its workers, holds a file in it; the kernel takes that back from a process that is
killed. The home keeps a link to each, made before the folder is; the next start deletes those that nobody holds.
Workers that outlive their supervisor still need theirs.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

from flyball.app.home import Home
from flyball.app.wiring.serving.panes import complain

_PREFIX, _HELD, _LOCK = "flyball-", "held", "lock"


@contextmanager
def short_folder(home: Home) -> Iterator[Path]:
    """For the processes of one gateway; deleted at the end. What killed gateways of this home left is deleted first."""
    known = home.root / "run" / "folders"
    known.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{uuid4().hex[:8]}"
    link = known / folder.name
    with _alone(known):
        for left in known.glob(f"{_PREFIX}*"):
            _sweep(left)
        link.symlink_to(folder)
        folder.mkdir(mode=0o700)
        file = hold(folder)
    try:
        yield folder
    finally:
        os.close(file)
        shutil.rmtree(folder, ignore_errors=True)  # a worker may be writing there with its last breath
        link.unlink(missing_ok=True)


def hold(folder: Path) -> int:
    """An open file that says that somebody needs the folder, for as long as it is open."""
    file = os.open(folder / _HELD, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


@contextmanager
def _alone(known: Path) -> Iterator[None]:
    """No other start of this home makes or sweeps meanwhile."""
    with (known / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sweep(link: Path) -> None:
    """Delete what a link names, if nobody holds it."""
    folder = Path(os.readlink(link))
    try:
        if folder.is_dir() and not folder.is_symlink():
            if _in_use(folder):
                return
            shutil.rmtree(folder)
        link.unlink()
    except OSError as error:
        complain(f"what a killed gateway left cannot be deleted: {error}")


def _in_use(folder: Path) -> bool:
    try:
        file = (folder / _HELD).open("r+")
    except FileNotFoundError:  # its maker was killed before it held it
        return False
    with closing(file):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
