"""The store of step outputs: what is put is got, whole and the same, or not at all."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.training.step_store import FolderSteps

KEY = "sha256:" + "ab" * 32
NAMES = st.text("abc", min_size=1, max_size=4)


@given(st.dictionaries(NAMES, st.binary(max_size=50), max_size=4))
def test_what_is_put_is_got(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FolderSteps(Path(folder))
        assert store.get(KEY) is None
        store.put("train", KEY, files)
        assert store.get(KEY) == files
        store.put("train", KEY, {"other": b"of another process"})  # the first one stays
        assert store.get(KEY) == files
        assert [path for path in Path(folder).iterdir() if path.name.startswith(".draft")] == []


@pytest.mark.parametrize("damage", ["byte", "short", "gone", "index"])
def test_a_damaged_output_is_none_and_makes_room(tmp_path: Path, damage: str) -> None:
    store = FolderSteps(tmp_path)
    store.put("train", KEY, {"a/b": b"1234"})
    folder = tmp_path / KEY.removeprefix("sha256:")
    file = folder / "files" / "a" / "b"
    match damage:
        case "byte":
            file.write_bytes(b"1235")
        case "short":
            file.write_bytes(b"")
        case "gone":
            file.unlink()
        case _:
            (folder / "index.json").write_bytes(b"{")
    assert store.get(KEY) is None
    store.put("train", KEY, {"a/b": b"1234"})
    assert store.get(KEY) == {"a/b": b"1234"}


def test_what_was_used_last_stays(tmp_path: Path) -> None:
    store = FolderSteps(tmp_path)
    keys = ["sha256:" + str(i) * 64 for i in range(4)]
    for at, key in enumerate(keys):
        store.put("train", key, {"x": b"1" * 1000})
        os.utime(tmp_path / key.removeprefix("sha256:"), (at, at))
    assert store.get(keys[0]) is not None  # used now
    assert store.prune(kept=2) == 2
    assert [store.get(key) is not None for key in keys] == [True, False, False, True]
    assert store.prune(kept_mb=0.0) == 2


def test_nothing_was_ever_kept(tmp_path: Path) -> None:
    assert FolderSteps(tmp_path / "nowhere").prune() == 0
