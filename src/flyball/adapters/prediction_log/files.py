"""The names and forms of the files of a prediction log, for all who write and all who read them.

    telemetry/<service>/0000000012.frames              an open pane: frames
    telemetry/<service>/0000000011/                    a sealed pane: pane.json and a Parquet file a table
    telemetry/<service>/0000000003-0000000010/         several, merged: panes.json and a Parquet file a table

A merged folder holds the rows of its panes in their order, and says how many of each table are whose, so that each pane
can be given back as it was. The folders it was made of may still be there; then it counts and they do not.

A frame is its length and CRC-32 (little-endian, 4 bytes each) and MessagePack: predictions by column, shadows by row.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from flyball.core.log_columns import LogColumns
from flyball.core.prediction import PredictionRecord, ShadowRecord
from flyball.core.record import Record
from flyball.core.watching import Pane

HEADER = struct.Struct("<II")
PANE, PANES = "pane.json", "panes.json"
TABLES = ("predictions", "shadows", "labels")
_DIGITS = 10


class Frame(msgspec.Struct, array_like=True):
    """What one append holds."""

    columns: LogColumns  # of the predictions
    shadows: list[ShadowRecord]

    @property
    def predictions(self) -> list[PredictionRecord]:
        """Its rows as records, made anew."""
        return self.columns.records()


class Part(Record):
    """What of a merged folder is one pane's. Its predictions are `pane.written`."""

    pane: Pane
    shadows: int  # rows
    labels: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """A folder with sealed rows."""

    path: Path
    first: int  # index of its first pane
    last: int

    @property
    def merged(self) -> bool:
        return "-" in self.path.name

    def table(self, name: str) -> Path:
        return self.path / f"{name}.parquet"

    def parts(self) -> list[Part]:
        """Of a merged folder, in order. Raises: FileNotFoundError: it is gone."""
        return msgspec.json.decode((self.path / PANES).read_bytes(), type=list[Part])

    def panes(self) -> list[Pane]:
        """Headers of its panes, in order. Raises: FileNotFoundError: it is gone."""
        if self.merged:
            return [part.pane for part in self.parts()]
        return [msgspec.json.decode((self.path / PANE).read_bytes(), type=Pane)]


def name_of(index: int) -> str:
    """
    >>> name_of(12)
    '0000000012'
    """
    return f"{index:0{_DIGITS}d}"


def sealed(folder: Path) -> list[Sealed]:
    """What is sealed of one service, in order, each pane once."""
    found: list[Sealed] = []
    for each in folders(folder):
        if not found or each.last > found[-1].last:
            found.append(each)
    return found


def folders(folder: Path) -> list[Sealed]:
    """All that there is, by first index; of those that begin with the same pane the longest comes first."""
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        first, _, last = path.name.partition("-")
        if first.isdigit() and (last.isdigit() or path.name == first):
            found.append(Sealed(path=path, first=int(first), last=int(last or first)))
    return sorted(found, key=lambda each: (each.first, -each.last))


def open_files(folder: Path) -> list[Path]:
    """Frames of panes that are not sealed, or were a moment ago, oldest first."""
    return sorted(folder.glob("*.frames"))


def frames_of(path: Path) -> Iterator[Frame]:
    """Whole frames of a file; stops at a torn one. Nothing where the pane was sealed meanwhile."""
    try:
        data = memoryview(path.read_bytes())
    except FileNotFoundError:
        return
    decoder = msgspec.msgpack.Decoder(Frame)
    while len(data) >= HEADER.size:
        length, checksum = HEADER.unpack_from(data)
        body = data[HEADER.size : HEADER.size + length]
        if len(body) != length or zlib.crc32(body) != checksum:
            return
        yield decoder.decode(body)
        data = data[HEADER.size + length :]
