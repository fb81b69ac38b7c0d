import os
import random
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.content.hashing import CHUNK, Hasher, hash_file, regular_files
from flyball.adapters.content.stat_cache import GRANULARITY_NS, StatCache
from flyball.core.errors import BadInput, Unavailable

LATER = 10 * GRANULARITY_NS  # after every file of a test


def now() -> int:
    return time.time_ns() + LATER


class Dice(random.Random):
    """Always rolls what it was told."""

    def __init__(self, roll: float) -> None:
        super().__init__(0)
        self.roll = roll

    def random(self) -> float:
        return self.roll


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.binary(max_size=300)), st.integers(1, 3))
def test_the_digests_are_those_of_the_bytes_whoever_reads(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes], workers: int
) -> None:
    folder = tmp_path_factory.mktemp("files")
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    found = Hasher(workers=workers).scan(folder).files
    expected = [(name, len(data), sha256(data).hexdigest()) for name, data in sorted(contents.items())]
    assert [(file.path, file.size, file.sha256) for file in found] == expected


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_a_file_of_any_size_is_hashed_whole(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    (tmp_path / "file").write_bytes(data)
    state, digest = hash_file(tmp_path / "file")
    assert (state.st_size, digest) == (size, sha256(data).hexdigest())


def test_many_files_in_folders_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = [f"{number % 7}/{number:04}" for number in range(1000)]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [file.path for file in Hasher(workers=3).scan(tmp_path).files] == sorted(names)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(512 << 20)  # holes: no disk is used
    code = (
        "import resource, sys\nfrom flyball.adapters.content.hashing import hash_file\nbefore = "
        "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\nhash_file(sys.argv[1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "big")], capture_output=True, check=True)
    assert int(done.stdout) < 8 << 10  # KiB


def test_links_and_pipes_are_refused_all_at_once_also_when_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput) as caught:
        regular_files(tmp_path)
    assert {fault.path for fault in caught.value.faults} == {"link", "pipe"}
    with pytest.raises(Unavailable, match="link"):
        Hasher().scan(tmp_path, ["link"])


def test_a_file_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        Hasher().scan(tmp_path, ["gone"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "files"
    found.mkdir()
    for number in range(20):
        (found / f"part-{number:02}").write_text(str(number))
    return found


def cached(tmp_path: Path, **options: object) -> Hasher:
    return Hasher(StatCache(tmp_path / "hashes.db"), now_ns=now, **options)  # type: ignore[arg-type]


def test_a_second_scan_only_looks(tmp_path: Path, folder: Path) -> None:
    first = cached(tmp_path).scan(folder)
    again = cached(tmp_path).scan(folder)
    assert (first.read, again.read) == (20, 0)
    assert again.files == first.files


def test_what_changed_is_read_again_and_nothing_else(tmp_path: Path, folder: Path) -> None:
    cached(tmp_path).scan(folder)
    times = os.stat(folder / "part-03")
    (folder / "part-03").write_text("9")  # as long as before
    os.utime(folder / "part-03", ns=(times.st_atime_ns, times.st_mtime_ns))  # and as old
    again = cached(tmp_path).scan(folder)
    assert again.read == 1
    assert again.files == Hasher().scan(folder).files


@given(changed_ago=st.integers(0, 2 * GRANULARITY_NS))
def test_a_file_that_changed_within_the_step_of_the_clock_is_never_trusted(
    tmp_path_factory: pytest.TempPathFactory, changed_ago: int
) -> None:
    folder = tmp_path_factory.mktemp("files")
    (folder / "file").write_text("x")
    state = os.stat(folder / "file")
    at = max(state.st_mtime_ns, state.st_ctime_ns) + changed_ago
    cache = StatCache(folder.parent / f"{folder.name}.db")
    Hasher(cache, now_ns=lambda: at).scan(folder)
    again = Hasher(cache, now_ns=lambda: at).scan(folder)
    assert again.read == (1 if changed_ago < GRANULARITY_NS else 0)
    cache.close()


def test_paranoid_reads_everything(tmp_path: Path, folder: Path) -> None:
    cached(tmp_path).scan(folder)
    assert cached(tmp_path, paranoid=True).scan(folder).read == 20


def test_the_sample_is_drawn_with_the_dice_that_are_handed_in(tmp_path: Path, folder: Path) -> None:
    cached(tmp_path).scan(folder)
    assert cached(tmp_path, dice=Dice(0.02), sample=0.01).scan(folder).read == 0
    assert cached(tmp_path, dice=Dice(0.0), sample=0.01).scan(folder).read == 20
    rolls = random.Random(7)
    drawn = sum(rolls.random() < 0.3 for _ in range(20))
    assert cached(tmp_path, dice=random.Random(7), sample=0.3).scan(folder).read == drawn


def test_a_cache_that_is_caught_lying_is_named_emptied_and_not_believed(tmp_path: Path, folder: Path) -> None:
    cached(tmp_path).scan(folder)
    cache = StatCache(tmp_path / "hashes.db")
    wrong = [(os.stat(folder / f"part-{number:02}"), "0" * 64) for number in (4, 5)]
    cache.remember(wrong, now_ns=now())
    found = Hasher(cache, now_ns=now, dice=Dice(0.0), sample=1.0).scan(folder)
    assert found.lied == ("part-04", "part-05")
    assert found.files == Hasher().scan(folder).files


def test_one_lie_in_the_sample_makes_the_scan_read_what_was_not_drawn(tmp_path: Path, folder: Path) -> None:
    cached(tmp_path).scan(folder)
    cache = StatCache(tmp_path / "hashes.db")
    cache.remember([(os.stat(folder / f"part-{number:02}"), "0" * 64) for number in range(20)], now_ns=now())
    drawn = random.Random(3)
    found = Hasher(cache, now_ns=now, dice=drawn, sample=0.2).scan(folder)
    assert 0 < len(found.lied) < 20
    assert found.files == Hasher().scan(folder).files


def test_the_cache_is_bounded(tmp_path: Path, folder: Path) -> None:
    cache = StatCache(tmp_path / "small.db", limit=5)
    Hasher(cache, now_ns=now).scan(folder)
    assert Hasher(cache, now_ns=now).scan(folder).read == 15


@pytest.mark.parametrize("rubbish", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_broken_cache_is_thrown_away(tmp_path: Path, folder: Path, rubbish: bytes) -> None:
    (tmp_path / "hashes.db").write_bytes(rubbish)
    assert cached(tmp_path).scan(folder).read == 20
    assert cached(tmp_path).scan(folder).read == 0


def test_killed_in_the_middle_the_cache_holds_only_what_was_read(tmp_path: Path, folder: Path) -> None:
    dies = (
        "import os, signal, sys, time\nfrom pathlib import Path\n"
        "from flyball.adapters.content import hashing, stat_cache\n"
        "hashing.BATCH_FILES = 4\nreal = stat_cache.StatCache.remember\ncalls = []\n"
        "def deadly(self, found, *, now_ns):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(self, found, now_ns=now_ns)\n"
        "stat_cache.StatCache.remember = deadly\n"
        "cache = stat_cache.StatCache(Path(sys.argv[1]))\n"
        "hashing.Hasher(cache, now_ns=lambda: time.time_ns() + 10**11, workers=1).scan(Path(sys.argv[2]))\n"
    )
    died = subprocess.run([sys.executable, "-c", dies, str(tmp_path / "hashes.db"), str(folder)], check=False)
    assert died.returncode < 0
    again = cached(tmp_path).scan(folder)
    assert again.read == 12
    assert again.files == Hasher().scan(folder).files
