"""Texts that a verb writes for people: there whole or not at all."""

import os
from pathlib import Path

from flyball.adapters.content.blobs import write_whole
from flyball.core.errors import BadInput, Fault


def write_text(file: Path, text: str, *, make_folder: bool = True) -> None:
    """Write a text in UTF-8, its folder made where it is absent. Who may read it is for the umask to say.

    Raises: BadInput: a folder has this name; its folder is absent and none is to be made. Unavailable: the disk does
        not take it.
    """
    if not make_folder and not file.parent.is_dir():
        where, fix = str(file), f"mkdir -p {file.parent}, or name another file"
        fault = Fault(where=where, path="(folder)", expected="a folder that is there", found="none", fix=fix)
        raise BadInput("The text cannot be written.", (fault,))
    if file.is_dir():
        fault = Fault(where=str(file), path="(file)", expected="a file", found="a folder", fix="name a file in it")
        raise BadInput("The text cannot be written.", (fault,))
    write_whole(file, text.encode())
    umask = os.umask(0o077)  # there is no way to read it without setting it
    os.umask(umask)
    file.chmod(0o666 & ~umask)
