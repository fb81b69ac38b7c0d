"""What hashing files costs: against SHA-256 over the same bytes in memory, one process, in the same run.

The files are in the page cache for both, so that the disk is not what is measured. Three sets: one big file, four
of them (threads can share those), 10,000 small ones. Then the scan that follows when nothing has changed.
"""

import os
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from flyball.adapters.content.hashing import Hasher
from flyball.adapters.content.stat_cache import GRANULARITY_NS, StatCache

BIG, BIG_BYTES = 4, 256 << 20
SMALL, SMALL_BYTES = 10_000, 8 << 10
TURNS = 3


def main() -> None:
    """Print throughputs and ratios; the best of three turns each, plain and ours in turns."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-hashing-") as name:
        folder = Path(name)
        print(f"{os.cpu_count()} cores")
        _measure("one file of 256 MiB", _write(folder / "one", 1, BIG_BYTES))
        _measure(f"{BIG} files of 256 MiB", _write(folder / "big", BIG, BIG_BYTES))
        _measure(f"{SMALL:,} files of 8 KiB", _write(folder / "small", SMALL, SMALL_BYTES))
        for path in ("big", "small"):
            _again(folder / path, folder / f"{path}.db")


def _measure(what: str, folder: Path) -> None:
    files = [path.read_bytes() for path in sorted(folder.iterdir())]
    size = sum(map(len, files))
    plain = ours = float("inf")
    for _ in range(TURNS):
        plain = min(plain, _seconds(lambda: [sha256(data).hexdigest() for data in files]))
        ours = min(ours, _seconds(lambda: Hasher().scan(folder)))
    print(
        f"{what}: plain SHA-256 in memory {size / plain / 1e6:,.0f} MB/s, files {size / ours / 1e6:,.0f} MB/s, "
        f"ratio {plain / ours:.2f} (target 0.60 for big files)"
    )


def _again(folder: Path, cache_file: Path) -> None:
    """`now_ns` is moved on by the clock's granularity, as the files were written a moment ago."""
    cache = StatCache(cache_file)
    hasher = Hasher(cache, now_ns=lambda: time.time_ns() + GRANULARITY_NS)
    first = _seconds(lambda: hasher.scan(folder))
    count = len(list(folder.iterdir()))
    begun = time.perf_counter()
    again = hasher.scan(folder)
    took = time.perf_counter() - begun
    cache.close()
    print(
        f"{folder.name}: first scan with cache {first:.3f} s; nothing changed {took:.3f} s, "
        f"{again.read} of {count:,} files read, {1e6 * took / count:,.1f} us a file"
    )


def _write(folder: Path, count: int, size: int) -> Path:
    folder.mkdir()
    block = os.urandom(min(size, 1 << 20))
    for number in range(count):
        with (folder / f"part-{number:05d}").open("wb") as file:
            file.write(number.to_bytes(8))
            for _ in range(max(1, size // len(block))):
                file.write(block)
    return folder


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
