"""Files as one plain archive: names sorted, no times and no owners, so that equal files give equal bytes."""

import io
import tarfile
from collections.abc import Mapping


def packed(files: Mapping[str, bytes]) -> bytes:
    """A tar archive of files, relative path -> content.

    >>> packed({"b/c": b"2", "a": b"1"}) == packed({"a": b"1", "b/c": b"2"})
    True
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o600
            archive.addfile(entry, io.BytesIO(files[name]))
    return out.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """What was packed. Raises: ValueError: it is no such archive, or a member is no file below its folder.

    >>> unpacked(packed({"b/c": b"2"}))
    {'b/c': b'2'}
    """
    files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isreg() else None
                if (
                    content is None
                    or entry.name.startswith("/")
                    or ".." in entry.name.split("/")
                    or entry.name in files
                ):
                    raise ValueError(f"expected files below one folder, found {entry.name!r}")
                files[entry.name] = content.read()
    except tarfile.TarError as error:
        raise ValueError(f"expected an archive of files: {error}") from error
    return files
