"""What a reference points to: `env:NAME` or `file:PATH`. Errors name the reference, never what it holds."""

import os
from pathlib import Path

from flyball.core.errors import BadInput, Fault

MAX_BYTES = 4 * 1024 * 1024


def content(reference: str, folder: Path) -> bytes:
    """The bytes behind it; relative paths begin at `folder`. Raises: BadInput: there are none."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        if not (value := os.environ.get(name)):
            raise _absent(reference, "a variable that is set", "none")
        return value.encode()
    path = place(reference, folder)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _absent(reference, f"a file of at most {MAX_BYTES} bytes", "a larger one")
        return path.read_bytes()
    except OSError as error:
        raise _absent(reference, "a file that can be read", str(error.strerror)) from error


def place(reference: str, folder: Path) -> Path:
    """The file of a `file:` reference."""
    return folder / Path(reference.removeprefix("file:")).expanduser()


def stamp(reference: str, folder: Path) -> tuple[int, ...]:
    """Another one when the file was written again or replaced; empty for a variable and for a file that is away."""
    if reference.startswith("env:"):
        return ()
    try:
        found = place(reference, folder).stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _absent(reference: str, expected: str, found: str) -> BadInput:
    fault = Fault(where=reference, path="(reference)", expected=expected, found=found)
    return BadInput("A reference leads nowhere.", (fault,))
