import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.content.blobs import Blobs, publish, write_whole
from flyball.core.errors import NotFound, Unavailable, Untrusted


@given(st.binary(max_size=200))
def test_what_was_put_comes_back_under_its_digest(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"))
    name = blobs.put(data)
    assert blobs.put(data) == name
    assert blobs.has(name)
    assert blobs.get(name) == data


def test_an_altered_blob_is_not_handed_out(tmp_path: Path) -> None:
    name = Blobs(tmp_path).put(b"model")
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_bytes(b"modem")
    with pytest.raises(Untrusted):
        Blobs(tmp_path).get(name)


@pytest.mark.parametrize("name", ["sha256:" + "0" * 64, "sha256:../../etc", "md5:0", ""])
def test_a_blob_that_is_not_there_or_no_name_at_all_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        Blobs(tmp_path).get(name)


def test_a_file_that_a_folder_must_be_is_said_to_be_unavailable(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("in the way")
    with pytest.raises(Unavailable):
        Blobs(tmp_path / "blobs").put(b"x")


def test_killed_while_writing_there_is_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    dies = (
        "import os, signal, sys\nfrom pathlib import Path\nimport flyball.adapters.content.blobs as blobs\n"
        "def deadly(handle): os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.fsync = deadly\nblobs.write_whole(Path(sys.argv[1]), b'new' * 100000)\n"
    )
    died = subprocess.run([sys.executable, "-c", dies, str(target)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"


def test_a_folder_gets_its_name_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    assert publish(tmp_path / "one", tmp_path / "store" / "root")
    assert not publish(tmp_path / "two", tmp_path / "store" / "root")
    assert (tmp_path / "store" / "root" / "file").read_text() == "one"
    assert os.listdir(tmp_path / "store") == ["root"]
