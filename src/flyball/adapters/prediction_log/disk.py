"""What the prediction log asks of a disk. A disk that forgets what was not synced, or is full, stands in its place in
tests; the file names and their order are the log's own affair."""

import os
from pathlib import Path


class Disk:
    """The real one. Everything raises OSError."""

    def write(self, file: int, data: memoryview) -> int:
        """As much as it takes of the data; returns how many bytes that was."""
        return os.write(file, data)

    def sync(self, file: int) -> None:
        """What is in this open file survives a power cut."""
        os.fsync(file)

    def sync_file(self, path: Path) -> None:
        """... in this file."""
        file = os.open(path, os.O_RDONLY)
        try:
            self.sync(file)
        finally:
            os.close(file)

    def sync_folder(self, path: Path) -> None:
        """That these names are in this folder survives a power cut; what is in the files is another matter."""
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def rename(self, path: Path, to: Path) -> None:
        """At once, or not at all."""
        path.rename(to)
