"""Files that were brought into a service's folder as one text, laid out again for a class that loads itself."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from weakref import finalize

from flyball.adapters.models.own_model import laid_out
from flyball.core.packed_files import unpacked

T = TypeVar("T")


def restored(load: Callable[[Path], T], file: Path, sha256: str) -> T:
    """What `load` makes of the folder; its files are there for as long as that is.

    Args:
        file: the archive (`core/packed_files.py`) in Base64.
        sha256: of the archive, hex.

    Raises: ValueError: the bytes are not those that were imported. Whatever `load` raises.
    """
    data = base64.b64decode(file.read_text())
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"{file.name}: the imported model's bytes are not those that were imported")
    place = laid_out(unpacked(data))
    found = load(Path(place.name))
    finalize(found, place.cleanup)
    return found
