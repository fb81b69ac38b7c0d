"""The key of a home, under which its gateways name predictions and hash what is personal."""

import contextlib
import os
import tempfile

from flyball.app.home import Home


def secret_of(home: Home) -> bytes:
    """The home's key for prediction ids and hashed values, made at first use."""
    path = home.keys / "gateway.secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent) as draft:
            draft.write(os.urandom(32))
            draft.flush()
            with contextlib.suppress(FileExistsError):  # another process was first, and its file counts
                os.link(draft.name, path)
    return path.read_bytes()
