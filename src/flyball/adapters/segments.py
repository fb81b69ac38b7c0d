"""The prediction log on disk: an open pane is a file of frames, a sealed one a folder of Parquet tables.

Theory of operation. A frame is its length and CRC-32 (little-endian, 4 bytes each) and a MessagePack list of records.
Frames are appended with one `write` each, so a killed process leaves whole frames and at most one torn tail, which is
cut when the file is read again. Sealing reads the frames back (the same code that repairs), writes the tables and the
pane's header into a draft folder, renames it to its index, then removes the frames. A crash anywhere leaves either the
frames, or the folder, or both: sealing again gives the same folder. What is renamed is never written again.

    telemetry/<service>/0000000012.frames      open
    telemetry/<service>/0000000012/            sealed: pane.json, predictions|shadows|labels.parquet
"""

import os
import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import polars as pl

from flyball.core.log_tables import LogTables
from flyball.core.ports import Segment
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord
from flyball.core.watching import Pane

_HEADER = struct.Struct("<II")
_PANE = "pane.json"
_TABLES = ("predictions", "shadows", "labels")
_DIGITS = 10


class Frame(msgspec.Struct, array_like=True):
    """What one append holds."""

    predictions: list[PredictionRecord]
    shadows: list[ShadowRecord]


class SegmentLog:
    """The writer's side, for one service; one thread at a time."""

    def __init__(self, folder: Path, service: str, tables: LogTables) -> None:
        self._folder, self._service, self._tables = folder, service, tables
        self._file: int | None = None
        self._index = -1
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sealed = _sealed_indices(folder)
        newest = _read_pane(folder / _name(sealed[-1])) if sealed else None
        self._row = (
            newest.first_row + newest.written if newest else 0
        )  # a pane without rows has a last row all the same
        self._encoder = msgspec.msgpack.Encoder()

    def next_index(self) -> int:
        """The first index that no pane on disk has."""
        return max([*_sealed_indices(self._folder), *self.unsealed()], default=-1) + 1

    def unsealed(self) -> list[int]:
        """Panes that a process left open, oldest first."""
        return sorted(int(path.stem) for path in self._folder.glob("*.frames"))

    def last_sealed(self) -> int:
        """Index of the newest sealed pane; -1: none."""
        return max(_sealed_indices(self._folder), default=-1)

    def append(self, index: int, predictions: Sequence[PredictionRecord], shadows: Sequence[ShadowRecord]) -> None:
        """One frame; when this returns, a killed process does not lose it. Raises: OSError: nothing was appended."""
        body = self._encoder.encode(Frame(list(predictions), list(shadows)))
        if self._file is None or self._index != index:
            self._close()
            path = self._folder / f"{_name(index)}.frames"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._index = index
        data = memoryview(_HEADER.pack(len(body), zlib.crc32(body)) + body)
        whole = os.fstat(self._file).st_size
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            os.ftruncate(self._file, whole)  # half a frame would hide the whole ones that come after it
            raise

    def rows(self, index: int) -> int:
        """Prediction records of an open pane that are whole on disk."""
        return sum(len(frame.predictions) for frame in self._frames(index))

    def seal(
        self, index: int, *, start: float, end: float, received: int | None, labels: Sequence[LabelRecord]
    ) -> Pane:
        """Make the open pane a folder. `received` None: nobody knows, so what is written is what was received.

        Panes are sealed in the order of their indices, so that rows and panes are in one order and a reader that has
        seen pane n has seen all before it. Raises: OSError: nothing is lost, the frames stay.
        """
        self._close()
        if (self._folder / _name(index)).exists():  # sealed by a process that was killed before it removed the frames
            (self._folder / f"{_name(index)}.frames").unlink(missing_ok=True)
            return _read_pane(self._folder / _name(index))
        predictions: list[PredictionRecord] = []
        shadows: list[ShadowRecord] = []
        for frame in self._frames(index):
            predictions += frame.predictions
            shadows += frame.shadows
        written = len(predictions)
        offered = written if received is None else max(received, written)
        pane = Pane(
            service=self._service,
            index=index,
            start=min([start, *(record.at for record in predictions[:1])]),
            end=end,
            first_row=self._row,
            last_row=max(self._row, self._row + written - 1),
            received=offered,
            written=written,
            dropped=offered - written,
        )
        tables = self._tables
        self._publish(pane, (tables.predictions(predictions), tables.shadows(shadows), tables.labels(labels)))
        (self._folder / f"{_name(index)}.frames").unlink(missing_ok=True)
        self._row += written
        return pane

    def _publish(self, pane: Pane, tables: Sequence[pl.DataFrame]) -> None:
        draft = self._folder / f".{_name(pane.index)}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        for name, table in zip(_TABLES, tables, strict=True):
            table.write_parquet(draft / f"{name}.parquet", compression="zstd", compression_level=1)
        (draft / _PANE).write_bytes(msgspec.json.encode(pane))
        draft.rename(self._folder / _name(pane.index))

    def _frames(self, index: int) -> Iterator[Frame]:
        """Whole frames of an open pane; stops at a torn one."""
        return frames_of(self._folder / f"{_name(index)}.frames")

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Segments:
    """`core.ports.Telemetry`: what the gateways of a home have sealed."""

    def __init__(self, root: Path) -> None:
        """`root`: the folder with one folder a service."""
        self._root = root

    def sealed(self, service: str, after: int) -> Iterable[Segment]:
        """Segments with a pane index above `after`, in order; each is read when it is asked for, so that a reader who
        begins with a long history holds one pane of it at a time."""
        folder = self._root / service
        if folder.is_dir():
            for index in _sealed_indices(folder):
                if index > after:
                    yield _segment(folder / _name(index))


def frames_of(path: Path) -> Iterator[Frame]:
    """Whole frames of a file; stops at a torn one. Nothing where the pane was sealed meanwhile."""
    try:
        data = memoryview(path.read_bytes())
    except FileNotFoundError:
        return
    decoder = msgspec.msgpack.Decoder(Frame)
    while len(data) >= _HEADER.size:
        length, checksum = _HEADER.unpack_from(data)
        body = data[_HEADER.size : _HEADER.size + length]
        if len(body) != length or zlib.crc32(body) != checksum:
            return
        yield decoder.decode(body)
        data = data[_HEADER.size + length :]


def sealed_folders(folder: Path) -> list[Path]:
    """Folders of the sealed panes of one service, in order."""
    return [folder / _name(index) for index in _sealed_indices(folder)] if folder.is_dir() else []


def _segment(folder: Path) -> Segment:
    predictions, shadows, labels = (pl.read_parquet(folder / f"{name}.parquet") for name in _TABLES)
    return Segment(pane=_read_pane(folder), predictions=predictions, shadows=shadows, labels=labels)


def _read_pane(folder: Path) -> Pane:
    return msgspec.json.decode((folder / _PANE).read_bytes(), type=Pane)


def _sealed_indices(folder: Path) -> list[int]:
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())


def _name(index: int) -> str:
    return f"{index:0{_DIGITS}d}"
