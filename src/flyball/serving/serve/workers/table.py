"""The routing table of one service: on disk for the next start, and mapped into every worker for the next request.

Theory of operation of the mapped form. Two places for a table, and a number that says how many were published; the
newest is in the place of its number's last bit. The writer fills the other place and then raises the number, one
aligned 64-bit store. A reader copies the place and asks whether the number is still the same: if not, a newer table is
there and it reads again. So nobody sees half a table, nobody waits for anybody, and a writer that is killed at any line
leaves the table that was in force. A checksum guards what memory order does not promise on every processor.

Both forms are of a layout. Layout 2 has arms of A/B tests, and writes a table without any as layout 1 did: so either
reads the other's tables but those with arms, and those layout 1 refuses, as it does any field that it does not know.
The map says its layout beside the number; of a higher one than ours no table is read.
"""

import mmap
import os
import zlib
from pathlib import Path

import msgspec

from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record
from flyball.core.routing import Routing, Stopped
from flyball.serving.serve.workers.spool import write_whole

_HEAD, _PLACE = 64, 64 * 1024
_NUMBER, _LENGTH, _CHECKSUM, _LAYOUT = 0, 1, 3, 5  # in 8-byte words; length and checksum have one for each place
LAYOUT = 2  # layout 1 left its word at 0
_TRIES = 1000


class Table(Record):
    """What is known of one service."""

    routing: Routing
    stopped: Stopped | None = None
    keys: tuple[str, ...] = ()  # of the orders that were obeyed, newest last


class TableMap:
    """The mapped file: one process publishes, any number reads."""

    def __init__(self, path: Path) -> None:
        """Made where it is not there. Raises: OSError. BadInput: a newer Flyball wrote it."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            size = _HEAD + 2 * _PLACE
            if os.fstat(file).st_size < size:
                os.ftruncate(file, size)
            self._bytes = memoryview(mmap.mmap(file, size))
        finally:
            os.close(file)
        self._words = self._bytes[:_HEAD].cast("q")
        if (found := self._words[_LAYOUT]) > LAYOUT:
            fix = "end the newer gateway and remove the file"
            fault = Fault(where=str(path), path="layout", expected=f"{LAYOUT} or less", found=str(found), fix=fix)
            raise BadInput("the mapped routing table is of a newer Flyball", (fault,))

    @property
    def number(self) -> int:
        """Of the newest table; 0: none was published yet. Cheap enough to be asked for every request."""
        return self._words[_NUMBER]

    def publish(self, table: Table) -> int:
        """Every reader goes by it from its next look on; returns its number.

        Raises: ValueError: it is too large.
        """
        body = msgspec.json.encode(table)
        if len(body) > _PLACE:
            raise ValueError(f"expected a table of at most {_PLACE} bytes, found {len(body)}")
        number = self.number + 1
        place = number & 1
        start = _HEAD + place * _PLACE
        self._bytes[start : start + len(body)] = body
        self._words[_LENGTH + place], self._words[_CHECKSUM + place] = len(body), zlib.crc32(body)
        self._words[_LAYOUT] = LAYOUT
        self._words[_NUMBER] = number
        return number

    def read(self) -> tuple[int, Table | None]:
        """The newest table and its number; None: there is none. Raises: BadInput: it is no table."""
        for _ in range(_TRIES):
            number = self.number
            if number == 0:
                return 0, None
            place = number & 1
            start, length = _HEAD + place * _PLACE, self._words[_LENGTH + place]
            body = bytes(self._bytes[start : start + max(0, min(length, _PLACE))])
            if self.number == number and zlib.crc32(body) == self._words[_CHECKSUM + place]:
                return number, msgspec.json.decode(body, type=Table)
        fault = Fault(where="routing.map", path="$", expected="a whole table", found="another checksum")
        raise BadInput("the mapped routing table cannot be read", (fault,))


def read_table(folder: Path) -> Table | None:
    """The table on disk; None: there is none. Raises: BadInput: it is no table."""
    path = folder / "routing.json"
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Table)
    except msgspec.DecodeError as error:
        fault = Fault(where=str(path), path="$", expected="a routing table", found=str(error), fix="remove the file")
        raise BadInput("the routing table cannot be read", (fault,)) from error


def write_table(folder: Path, table: Table) -> None:
    """All of it or nothing. Raises: OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(folder / "routing.json", msgspec.json.encode(table))
